"""Runs over HTTP: create, list, get, cancel, rerun, history."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, runner, viewer
from daftray.api.overrides import read_overrides
from daftray.api.projects import LimitParameter, OffsetParameter
from daftray.api.scope import PROJECT, provide_project, provide_workspace
from daftray.api.strict import refuse_unknown
from daftray.api.times import with_zone
from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.ports import RunQuery
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.domain.run import Run, RunEvent
from daftray.domain.spec import RunRequest
from daftray.domain.status import RunStatus
from daftray.runs.service import Runs
from daftray.tasks.service import Tasks

LARGEST_BODY = 110 * 1024 * 1024
"""A bundle of 64 MiB is 86 MiB of base64; a patch of 16 MiB comes as it is."""

LabelParameter = Annotated[
    list[str] | None, QueryParameter(name="label", description="``key=value``; several must all hold.")
]
IdempotencyParameter = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="The same key and body give the same run; the same key with another body is refused.",
    ),
]
TextParameter = Annotated[
    str | None,
    QueryParameter(
        description="Looked for in name, entrypoint and commit, whatever its case; a text of one or two "
        "characters among the newest 10,000 runs that the other filters let through."
    ),
]
TimeParameter = Annotated[
    datetime | None,
    QueryParameter(description="RFC 3339, with its offset from UTC: ``2026-01-31T10:30:00Z``."),
]


TaskParameter = Annotated[
    str | None,
    QueryParameter(description="A task, by name or id; one that is gone by its id alone."),
]


class RunAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A run, wrapped as Daft Cloud's client expects it from a create call."""

    run: Run


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of runs, newest first. Ask for the next one with ``cursor=next_cursor``."""

    runs: list[Run]
    next_cursor: str | None
    page: int
    page_size: int


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Every advance of a run, oldest first."""

    events: list[RunEvent]


@post(
    "/",
    guards=[runner],
    opt={AUDIT: "run.create"},
    summary="Create a run",
    request_max_body_size=LARGEST_BODY,
)
async def create_run(
    request: AnyRequest,
    data: JSONBody[RunRequest],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
    caller: NamedDependency[SkipValidation[Principal]],
    idempotency_key: IdempotencyParameter = None,
) -> RunAnswer:
    """Make a run; it is kept when this answers, and everything else happens after."""
    refuse_unknown(await request.body(), data)
    made = await run_service.create(home, data, caller, key=idempotency_key)
    note(request, target=made.id)
    return RunAnswer(run=made)


@get("/", guards=[viewer], summary="List runs")
async def list_runs(  # noqa: PLR0913, PLR0917 (Litestar takes each query parameter as an argument)
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
    task_service: NamedDependency[SkipValidation[Tasks]],
    labels: LabelParameter = None,
    status: FromQuery[RunStatus | None] = None,
    q: TextParameter = None,
    created_after: TimeParameter = None,
    created_before: TimeParameter = None,
    trigger: FromQuery[str | None] = None,
    task: TaskParameter = None,
    cursor: FromQuery[str | None] = None,
    limit: LimitParameter = 50,
    offset: OffsetParameter = 0,
) -> RunPage:
    """Return a page of runs, newest first, by cursor or by offset."""
    query = RunQuery(
        project=home.id,
        status=status,
        labels=_labels(labels or []),
        text=q,
        created_after=with_zone("created_after", created_after),
        created_before=with_zone("created_before", created_before),
        trigger=trigger,
        task=await task_service.id_of(home, task) if task is not None else None,
        before=cursor,
        offset=offset,
        limit=limit,
    )
    return page_of(await run_service.list(query), query)


@get("/{run:str}", guards=[viewer], summary="Get a run")
async def get_run(
    run: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
) -> Run:
    """Return a run with its attempts, timings and usage."""
    return await run_service.get(home, run)


@post(
    "/{run:str}/cancel", guards=[runner], opt={AUDIT: "run.cancel"}, summary="Cancel a run", status_code=200
)
async def cancel_run(
    run: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
) -> RunAnswer:
    """Ask for a run's end. A second call, or one for a run that has ended, changes nothing."""
    return RunAnswer(run=await run_service.cancel(home, run))


@post(
    "/{run:str}/rerun",
    guards=[runner],
    opt={AUDIT: "run.rerun"},
    summary="Run again",
    request_max_body_size=LARGEST_BODY,
)
async def rerun(
    request: AnyRequest,
    run: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
    caller: NamedDependency[SkipValidation[Principal]],
    idempotency_key: IdempotencyParameter = None,
) -> RunAnswer:
    """Make a new run of the same commit. The body may override fields of the create call, one by one."""
    overrides = read_overrides(await request.body(), RunRequest, entrypoint={})
    made = await run_service.rerun(home, run, overrides, caller, key=idempotency_key)
    note(request, target=made.id)
    return RunAnswer(run=made)


@get("/{run:str}/events", guards=[viewer], summary="Get a run's history")
async def run_events(
    run: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
) -> History:
    """Return every advance of a run, oldest first."""
    return History(events=await run_service.events(home, run))


def page_of(found: list[Run], query: RunQuery) -> RunPage:
    """Return what was found as the page of its query."""
    last = found[-1].id if len(found) == query.limit else None
    page = query.offset // query.limit + 1
    return RunPage(runs=found, next_cursor=last, page=page, page_size=query.limit)


def _labels(pairs: list[str]) -> dict[str, str]:
    labels = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    if len(labels) != len(pairs):
        raise InvalidInputError(
            "A label is not given as key=value.",
            issues=(InputIssue(path="label", message="give key=value, each key once"),),
        )
    return labels


router = Router(
    PROJECT + "/runs",
    route_handlers=[create_run, list_runs, get_run, cancel_run, rerun, run_events],
    dependencies={"workspace_id": Provide(provide_workspace), "home": Provide(provide_project)},
    tags=["runs"],
)
