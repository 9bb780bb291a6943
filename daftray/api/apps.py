"""Tasks under the name that Daft Cloud's client has for them, wrapped as it expects them."""

from __future__ import annotations

import msgspec
from litestar import Router, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, runner, viewer
from daftray.api.projects import LimitParameter, OffsetParameter
from daftray.api.scope import PROJECT, provide_project, provide_workspace
from daftray.api.strict import refuse_unknown
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.domain.task import TaskRequest, TaskView
from daftray.tasks.service import Tasks


class AppAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A task, wrapped."""

    app: TaskView


class AppPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of tasks, by name. ``page`` counts from 1."""

    apps: list[TaskView]
    page: int
    page_size: int


@post("/", guards=[runner], summary="Create an app", opt={AUDIT: "task.create"})
async def create_app(
    request: AnyRequest,
    data: JSONBody[TaskRequest],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> AppAnswer:
    """Keep a task. A name that is taken is refused: another checkout may have deployed it."""
    refuse_unknown(await request.body(), data)
    made = await task_service.create(home, data, caller)
    note(request, target=made.id)
    return AppAnswer(app=made)


@put("/{app:str}", guards=[runner], summary="Deploy an app", opt={AUDIT: "task.replace"})
async def deploy_app(
    request: AnyRequest,
    app: FromPath[str],
    data: JSONBody[TaskRequest],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
) -> AppAnswer:
    """Put another task in its place, under its id; a new name is its name from then on."""
    refuse_unknown(await request.body(), data)
    return AppAnswer(app=await task_service.replace(home, app, data))


@get("/", guards=[viewer], summary="List apps")
async def list_apps(
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
    limit: LimitParameter = 50,
    offset: OffsetParameter = 0,
) -> AppPage:
    """Return a page of tasks, by name."""
    found = await task_service.list(home, limit=limit, offset=offset)
    return AppPage(apps=found, page=offset // limit + 1, page_size=limit)


@get("/{app:str}", guards=[viewer], summary="Get an app")
async def get_app(
    app: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
) -> TaskView:
    """Return a task, by id or name."""
    return await task_service.get(home, app)


@delete("/{app:str}", guards=[runner], summary="Delete an app", opt={AUDIT: "task.delete"})
async def delete_app(
    app: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    task_service: NamedDependency[SkipValidation[Tasks]],
) -> None:
    """Remove a task. Its runs stay, and keep its id."""
    await task_service.delete(home, app)


router = Router(
    PROJECT + "/apps",
    route_handlers=[create_app, deploy_app, list_apps, get_app, delete_app],
    dependencies={"workspace_id": Provide(provide_workspace), "home": Provide(provide_project)},
    tags=["tasks"],
)
