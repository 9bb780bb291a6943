"""What is left of a run to look at: its result, its metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator

from msgspec.structs import replace

from daftray.domain.errors import ResultNotFoundError, ResultRemovedError
from daftray.domain.metrics import RunMetrics
from daftray.domain.ports import BlobStore, ReportStore
from daftray.domain.price import PriceTable
from daftray.domain.result import RunResult
from daftray.metrics.accounts import Accounts


class Outcomes:
    """Reads what runs reported."""

    def __init__(self, *, reports: ReportStore, blobs: BlobStore, accounts: Accounts) -> None:
        self._reports = reports
        self._accounts = accounts
        self._blobs = blobs

    async def result(self, run_id: str) -> RunResult:
        """Return a run's result. Raises `ResultNotFoundError`, `ResultRemovedError`."""
        found = await self._reports.result(run_id)
        if found is None:
            raise ResultNotFoundError(
                "The run has no result: a function's return value is one, and what a file or module gives to "
                "`daftray.set_result`."
            )
        if found.removed_at is not None:
            raise ResultRemovedError(
                f"The run's result was removed on {found.removed_at:%Y-%m-%d}: this server keeps results for "
                "a while and up to a size, as its operator decided. Run it again to have it again."
            )
        return found

    async def data(self, run_id: str) -> tuple[RunResult, AsyncIterator[bytes]]:
        """Return a run's result and its stored bytes. Raises as `result` does."""
        found = await self.result(run_id)
        if not found.data:
            raise ResultNotFoundError("The run's result has no file to download: ask for /results instead.")
        key = result_key(run_id, found.attempt)
        if await self._blobs.size(key) is None:  # known now: a stream that has begun can answer no error
            raise ResultNotFoundError("The run's result tells of a file that never came: run it again.")
        return found, self._blobs.stream(key)

    async def metrics(self, run_id: str, *, prices: PriceTable | None = None) -> RunMetrics:
        """Return a run's metrics, as far as they have been reported, by the prices of its time or others."""
        metrics = await self._accounts.of(run_id, prices=prices)
        return replace(metrics, series=await self._reports.series(run_id))


def result_key(run_id: str, attempt: int) -> str:
    """Return where the bytes of an attempt's result are kept."""
    return f"runs/{run_id}/{attempt}/result"
