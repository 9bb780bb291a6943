"""Takes in what a run reports of itself, beside its counters."""

from __future__ import annotations

import asyncio
from pathlib import Path

from daftray.domain.connection import ConnectionsAnswer
from daftray.domain.ports import BlobStore, ReportStore, RunStore
from daftray.domain.principal import RunPrincipal
from daftray.domain.problem import ProblemReport, fingerprint
from daftray.domain.report import FinishedReport, ReportedProblem, StartAnswer, StartedReport
from daftray.domain.result import RunResult
from daftray.domain.trigger import CHECK
from daftray.logs.masking import Mask
from daftray.metrics.outcomes import result_key
from daftray.projects.connections import Connections
from daftray.projects.secrets import ProjectSecrets
from daftray.runs.masking import masked, masked_result
from daftray.runs.wake import Wake


class Reporting:
    """The use cases of a run that reports. Every report may come twice."""

    def __init__(
        self,
        *,
        runs: RunStore,
        reports: ReportStore,
        blobs: BlobStore,
        secrets: ProjectSecrets,
        wake: Wake,
        connections: Connections,
    ) -> None:
        self._runs = runs
        self._reports = reports
        self._blobs = blobs
        self._secrets = secrets
        self._wake = wake
        self._connections = connections

    async def started(self, reporter: RunPrincipal, report: StartedReport) -> StartAnswer:
        """Note that the driver is there; tell it what to run, and the secrets to run it with."""
        run = await self._runs.get(reporter.run)
        secrets, _ = await asyncio.gather(self._secrets.of_run(run), self._reports.started(run.id, report))
        self._wake.run(run.id)
        return StartAnswer(entrypoint=run.entrypoint, secrets=secrets)

    async def secrets(self, reporter: RunPrincipal) -> dict[str, str]:
        """Return the secrets of the run, for one of its worker processes."""
        return await self._secrets.of_run(await self._runs.get(reporter.run))

    async def connections(self, reporter: RunPrincipal) -> ConnectionsAnswer:
        """Return the project's data sources and catalogs, for a run that names one."""
        run = await self._runs.get(reporter.run)
        return await self._connections.of_project(run.project)

    async def finished(self, reporter: RunPrincipal, report: FinishedReport) -> None:
        """Note how the code ended, with the problem that ended it, and with no secret's value."""
        secrets = await self.secrets(reporter)
        kept = await asyncio.to_thread(lambda: masked(report, Mask(secrets.values())))
        await self._reports.finished(reporter.run, kept, _problem(kept))
        self._wake.run(reporter.run)

    async def result(self, reporter: RunPrincipal, result: RunResult) -> None:
        """Keep what the code returned; that of a check may quote what a storage or a database says."""
        run = await self._runs.get(reporter.run)
        if run.trigger == CHECK:
            secrets = await self._secrets.of_run(run)
            result = await asyncio.to_thread(lambda: masked_result(result, Mask(secrets.values())))
        await self._reports.put_result(reporter.run, result)

    async def result_data(self, reporter: RunPrincipal, path: Path) -> None:
        """Keep the bytes of a table or an artifact."""
        await self._blobs.put_file(result_key(reporter.run, reporter.attempt), path)


def _problem(report: FinishedReport) -> ProblemReport | None:
    """Return the exception that ended the code, counted once: where a hook has seen it too, under its key."""
    exception = report.exception
    if exception is None:
        return None
    known = report.problem or ReportedProblem(process="", key="finished")
    return ProblemReport(
        process=known.process,
        key=known.key,
        fingerprint=fingerprint(exception, known.udf),
        udf=known.udf,
        first_seen=report.at,
        last_seen=report.at,
        exception=exception,
    )
