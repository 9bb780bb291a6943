"""Where runs report, each with its own token. ``docs/run-lifecycle.md`` draws the conversation."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from litestar import Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from daftray.api.auth import AnyRequest, reporting_run, run_only
from daftray.api.otlp_body import report_of, taken
from daftray.api.strict import decode
from daftray.domain.connection import ConnectionsAnswer
from daftray.domain.errors import InvalidInputError
from daftray.domain.ports import Clock
from daftray.domain.principal import RunPrincipal
from daftray.domain.report import FinishedReport, StartAnswer, StartedReport
from daftray.domain.result import RunResult
from daftray.metrics import otlp
from daftray.metrics.exposition import Exposition
from daftray.metrics.ingest import UsageIngest
from daftray.metrics.otlp_logs import read_logs
from daftray.metrics.problem_records import problem_reports
from daftray.runs.problem_ingest import ProblemIngest
from daftray.runs.reporting import Reporting

LARGEST_RESULT = 2 * 1024**3
LARGEST_REPORT = 16 * 1024**2


@post("/v1/ingest/runs/{run:str}/started", status_code=200, summary="The driver is there")
async def started(
    request: AnyRequest,
    data: JSONBody[StartedReport],
    reporting: NamedDependency[SkipValidation[Reporting]],
) -> StartAnswer:
    """Note the start; answer what to run, and the secrets to run it with."""
    return await reporting.started(_reporter(request, data.attempt), data)


@get("/v1/ingest/runs/{run:str}/secrets", summary="Secrets for a worker process")
async def secrets(
    request: AnyRequest, reporting: NamedDependency[SkipValidation[Reporting]]
) -> dict[str, str]:
    """Answer the run's secrets."""
    return await reporting.secrets(reporting_run(request))


@get("/v1/ingest/runs/{run:str}/connections", summary="Data sources and catalogs for a run")
async def connections(
    request: AnyRequest, reporting: NamedDependency[SkipValidation[Reporting]]
) -> ConnectionsAnswer:
    """Answer the project's data sources and catalogs; their credentials are among the run's secrets."""
    return await reporting.connections(reporting_run(request))


@put(
    "/v1/ingest/runs/{run:str}/result/data",
    status_code=204,
    summary="The bytes of a result",
    request_max_body_size=LARGEST_RESULT,
)
async def result_data(request: AnyRequest, reporting: NamedDependency[SkipValidation[Reporting]]) -> None:
    """Keep a table or an artifact; comes before the result that tells of it."""
    with tempfile.TemporaryDirectory(prefix="daftray-") as folder:
        path = Path(folder) / "result"
        # One small write after another: the event loop is not held up for longer than a piece takes.
        with await asyncio.to_thread(path.open, "wb") as file:
            async for piece in request.stream():
                await asyncio.to_thread(file.write, piece)
        await reporting.result_data(reporting_run(request), path)


@post(
    "/v1/ingest/runs/{run:str}/result",
    status_code=204,
    summary="The result",
    request_max_body_size=LARGEST_REPORT,
)
async def result(request: AnyRequest, reporting: NamedDependency[SkipValidation[Reporting]]) -> None:
    """Keep what the code returned: a `RunResult`, whose value stays the JSON that it is."""
    data = decode(await request.body(), RunResult)
    await reporting.result(_reporter(request, data.attempt), data)


@post("/v1/ingest/runs/{run:str}/finished", status_code=204, summary="The code ended")
async def finished(
    request: AnyRequest,
    data: JSONBody[FinishedReport],
    reporting: NamedDependency[SkipValidation[Reporting]],
) -> None:
    """Note how the code ended."""
    await reporting.finished(_reporter(request, data.attempt), data)


@post("/v1/ingest/otlp/v1/metrics", status_code=200, summary="Counters, by OTLP/HTTP")
async def metrics(
    request: AnyRequest,
    usage: NamedDependency[SkipValidation[UsageIngest]],
    exposition: NamedDependency[SkipValidation[Exposition]],
) -> Response[bytes]:
    """Fold counters in, of the runner or of another exporter; the run is the token's, whatever they say.

    Where many processes report, ``Retry-After`` says how long to gather before the next report.
    """
    reporter = reporting_run(request)
    with exposition.report("metrics"):
        body, content_type = await report_of(request)
        again_in_s = await usage.add(reporter.run, reporter.attempt, otlp.read(body, content_type))
    return taken(request, again_in_s=again_in_s)


@post("/v1/ingest/otlp/v1/logs", status_code=200, summary="Exceptions, by OTLP/HTTP")
async def logs(
    request: AnyRequest,
    problem_ingest: NamedDependency[SkipValidation[ProblemIngest]],
    clock: NamedDependency[SkipValidation[Clock]],
    exposition: NamedDependency[SkipValidation[Exposition]],
) -> Response[bytes]:
    """Fold in what log records tell of exceptions; the run is the token's, whatever they say."""
    reporter = reporting_run(request)
    with exposition.report("logs"):
        records = read_logs(*await report_of(request))
        reports = problem_reports(records, attempt=reporter.attempt, received=clock.now())
        await problem_ingest.add(reporter, reports)
    return taken(request)


def _reporter(request: AnyRequest, attempt: int) -> RunPrincipal:
    """Return the run that reports; what it reports must be of the attempt that its token is of."""
    reporter = reporting_run(request)
    if attempt != reporter.attempt:
        raise InvalidInputError("The report is of another attempt than the token.")
    return reporter


router = Router(
    "/",
    route_handlers=[started, secrets, connections, result_data, result, finished, metrics, logs],
    guards=[run_only],
    tags=["ingest"],
)
