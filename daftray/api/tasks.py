"""Tasks over HTTP: saved runs, what starts them, and starting one by hand."""

from __future__ import annotations

import msgspec
from litestar import Router, delete, get, patch, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, runner, viewer
from daftray.api.overrides import read_overrides
from daftray.api.projects import LimitParameter, OffsetParameter
from daftray.api.runs import LARGEST_BODY, IdempotencyParameter, RunAnswer, RunPage, page_of
from daftray.api.scope import PROJECT, provide_project, provide_workspace
from daftray.api.strict import refuse_unknown
from daftray.domain.ports import RunQuery
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.domain.spec import RunRequest
from daftray.domain.task import SaveAsTask, TaskRequest, TaskView, Triggers
from daftray.domain.trigger import Outlook, Trigger
from daftray.runs.service import Runs
from daftray.tasks.service import Tasks


class TaskPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of tasks, by name. ``page`` counts from 1."""

    tasks: list[TaskView]
    page: int
    page_size: int


class TriggerList(msgspec.Struct, frozen=True, kw_only=True):
    """The body of the call that sets a task's triggers."""

    triggers: Triggers


class TriggersAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A task's triggers, and for each of them what comes of it."""

    triggers: list[Trigger]
    outlook: list[Outlook]


@post("/tasks", guards=[runner], summary="Create a task", opt={AUDIT: "task.create"})
async def create_task(
    request: AnyRequest,
    data: JSONBody[TaskRequest],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> TaskView:
    """Keep a run that can be started again. Triggers are kept, too; they do not start runs yet."""
    refuse_unknown(await request.body(), data)
    made = await task_service.create(home, data, caller)
    note(request, target=made.id)
    return made


@get("/tasks", guards=[viewer], summary="List tasks")
async def list_tasks(
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
    limit: LimitParameter = 50,
    offset: OffsetParameter = 0,
) -> TaskPage:
    """Return a page of tasks, by name."""
    found = await task_service.list(home, limit=limit, offset=offset)
    return TaskPage(tasks=found, page=offset // limit + 1, page_size=limit)


@get("/tasks/{task:str}", guards=[viewer], summary="Get a task")
async def get_task(
    task: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
) -> TaskView:
    """Return a task, by id or name."""
    return await task_service.get(home, task)


@put("/tasks/{task:str}", guards=[runner], summary="Replace a task", opt={AUDIT: "task.replace"})
async def replace_task(
    request: AnyRequest,
    task: FromPath[str],
    data: JSONBody[TaskRequest],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
) -> TaskView:
    """Put another task in its place, under its id. Without ``secrets`` it keeps those that it has."""
    refuse_unknown(await request.body(), data)
    return await task_service.replace(home, task, data)


@patch("/tasks/{task:str}", guards=[runner], summary="Change a task", opt={AUDIT: "task.change"})
async def change_task(
    request: AnyRequest,
    task: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
) -> TaskView:
    """Change the fields of a task that the body names, each as a whole."""
    changes = read_overrides(await request.body(), TaskRequest, name="_", entrypoint={})
    return await task_service.change(home, task, changes)


@delete("/tasks/{task:str}", guards=[runner], summary="Delete a task", opt={AUDIT: "task.delete"})
async def delete_task(
    task: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
) -> None:
    """Remove a task. Its runs stay, and keep its id."""
    await task_service.delete(home, task)


@post(
    "/tasks/{task:str}/runs",
    guards=[runner],
    summary="Start a task",
    request_max_body_size=LARGEST_BODY,
    opt={AUDIT: "task.start"},
)
async def start_task(
    request: AnyRequest,
    task: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
    caller: NamedDependency[SkipValidation[Principal]],
    idempotency_key: IdempotencyParameter = None,
) -> RunAnswer:
    """Make a run of a task. The body may override fields of the create call, one by one."""
    overrides = read_overrides(await request.body(), RunRequest, entrypoint={})
    run = await task_service.start(home, task, overrides, caller, key=idempotency_key)
    note(request, target=run.id)
    return RunAnswer(run=run)


@get("/tasks/{task:str}/runs", guards=[viewer], summary="List a task's runs")
async def runs_of_task(
    task: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
    run_service: NamedDependency[SkipValidation[Runs]],
    cursor: FromQuery[str | None] = None,
    limit: LimitParameter = 50,
    offset: OffsetParameter = 0,
) -> RunPage:
    """Return a page of a task's runs, newest first. ``GET runs?task=`` has more filters."""
    found = await task_service.get(home, task)
    query = RunQuery(project=home.id, task=found.id, before=cursor, offset=offset, limit=limit)
    return page_of(await run_service.list(query), query)


@get("/tasks/{task:str}/triggers", guards=[viewer], summary="Get a task's triggers")
async def get_triggers(
    task: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
) -> TriggersAnswer:
    """Return the triggers, and for each schedule its next five times."""
    return _triggers_of(await task_service.get(home, task))


@put(
    "/tasks/{task:str}/triggers",
    guards=[runner],
    summary="Set a task's triggers",
    opt={AUDIT: "task.triggers"},
)
async def set_triggers(
    request: AnyRequest,
    task: FromPath[str],
    data: JSONBody[TriggerList],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
) -> TriggersAnswer:
    """Put triggers in the place of those that the task has."""
    refuse_unknown(await request.body(), data)
    return _triggers_of(await task_service.set_triggers(home, task, data.triggers))


@post("/runs/{run:str}/save-as-task", guards=[runner], summary="Save a run", opt={AUDIT: "task.create"})
async def save_run(
    request: AnyRequest,
    run: FromPath[str],
    data: JSONBody[SaveAsTask],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> TaskView:
    """Keep as a task what a run was asked to be, with the run's own secrets."""
    refuse_unknown(await request.body(), data)
    made = await task_service.save_run(home, run, data.name, caller)
    note(request, target=made.id)
    return made


def _triggers_of(task: TaskView) -> TriggersAnswer:
    return TriggersAnswer(triggers=list(task.triggers), outlook=list(task.outlook))


router = Router(
    PROJECT,
    route_handlers=[
        create_task,
        list_tasks,
        get_task,
        replace_task,
        change_task,
        delete_task,
        start_task,
        runs_of_task,
        get_triggers,
        set_triggers,
        save_run,
    ],
    dependencies={"workspace_id": Provide(provide_workspace), "home": Provide(provide_project)},
    tags=["tasks"],
)
