"""Many runs at once, all of them or none."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, runner
from daftray.api.runs import LARGEST_BODY, IdempotencyParameter
from daftray.api.scope import PROJECT, provide_project, provide_workspace
from daftray.api.strict import refuse_unknown
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.domain.spec import RunRequest
from daftray.runs.requests import MOST_AT_ONCE
from daftray.runs.service import Runs


class RunBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The bodies of up to 1,000 create calls."""

    runs: Annotated[list[RunRequest], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of the runs that were made, in the order of the request."""

    run_ids: list[str]


@post(
    "/",
    guards=[runner],
    opt={AUDIT: "run.create_many"},
    summary="Create many runs",
    request_max_body_size=LARGEST_BODY,
)
async def create_runs(
    request: AnyRequest,
    data: JSONBody[RunBatch],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
    caller: NamedDependency[SkipValidation[Principal]],
    idempotency_key: IdempotencyParameter = None,
) -> BatchAnswer:
    """Make all the runs; where one of them is not valid, none, and the answer holds every issue of all."""
    refuse_unknown(await request.body(), data)
    made = await run_service.create_all(home, data.runs, caller, key=idempotency_key)
    note(request, target=f"{made[0]} and {len(made) - 1} more")
    return BatchAnswer(run_ids=made)


router = Router(
    PROJECT + "/runs:batch",
    route_handlers=[create_runs],
    dependencies={"workspace_id": Provide(provide_workspace), "home": Provide(provide_project)},
    tags=["runs"],
)
