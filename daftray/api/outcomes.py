"""Results and metrics of runs over HTTP."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter, SkipValidation
from litestar.response import Stream

from daftray.api.auth import viewer
from daftray.api.prices import LARGEST_VERSION
from daftray.api.scope import PROJECT, provide_project, provide_workspace
from daftray.domain.metrics import RunMetrics
from daftray.domain.project import Project
from daftray.domain.result import RunResult
from daftray.metrics.outcomes import Outcomes
from daftray.projects.prices import Prices
from daftray.runs.service import Runs

AttemptParameter = Annotated[
    int | None, QueryParameter(name="attempt", ge=1, description="One attempt only.")
]
PriceVersionParameter = Annotated[
    int | None,
    QueryParameter(ge=1, le=LARGEST_VERSION, description="By this version of the project's prices."),
]
_SUFFIX = {
    "application/vnd.apache.parquet": ".parquet",
    "application/x-npy": ".npy",
    "application/octet-stream": ".bin",
}


async def provide_run_id(
    run: FromPath[str],
    home: NamedDependency[SkipValidation[Project]],
    run_service: NamedDependency[SkipValidation[Runs]],
) -> str:
    """Return the id of the path's run, which must be in the path's project."""
    return (await run_service.get(home, run)).id


@get("/results", guards=[viewer], summary="Get a run's result")
async def get_result(
    run_id: NamedDependency[str], outcomes: NamedDependency[SkipValidation[Outcomes]]
) -> Response[bytes]:
    """Return the JSON that the run returned; for a table or an artifact, what there is to download."""
    result = await outcomes.result(run_id)
    body = bytes(result.value) if result.kind == "json" else msgspec.json.encode(result)
    return Response(body, media_type="application/json")


@get("/results/preview", guards=[viewer], summary="Preview a run's result")
async def preview_result(
    run_id: NamedDependency[str], outcomes: NamedDependency[SkipValidation[Outcomes]]
) -> RunResult:
    """Return the result with its kind, types and first rows."""
    return await outcomes.result(run_id)


@get(
    "/results/download",
    guards=[viewer],
    summary="Download a run's result",
    media_type="application/octet-stream",
)
async def download_result(
    run_id: NamedDependency[str], outcomes: NamedDependency[SkipValidation[Outcomes]]
) -> Stream:
    """Return the stored bytes: Parquet for a table, the artifact as it is."""
    result, data = await outcomes.data(run_id)
    name = f"{run_id}{_SUFFIX.get(result.media_type, '')}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Stream(data, media_type=result.media_type, headers=headers)


@get("/metrics", guards=[viewer], summary="Get a run's metrics")
async def get_metrics(
    run_id: NamedDependency[str],
    outcomes: NamedDependency[SkipValidation[Outcomes]],
    home: NamedDependency[SkipValidation[Project]],
    prices: NamedDependency[SkipValidation[Prices]],
    price_version: PriceVersionParameter = None,
) -> RunMetrics:
    """Return CPU seconds, requests, tokens, cost and the run's own counters. Null is unknown, not zero.

    The cost is by the prices that were in force when the run was created, or by the version that is named.
    """
    table = None if price_version is None else await prices.get(home, price_version)
    return await outcomes.metrics(run_id, prices=table)


router = Router(
    PROJECT + "/runs/{run:str}",
    route_handlers=[get_result, preview_result, download_result, get_metrics],
    dependencies={
        "workspace_id": Provide(provide_workspace),
        "home": Provide(provide_project),
        "run_id": Provide(provide_run_id),
    },
    tags=["outcomes"],
)
