"""What runs have used, and what that costs."""

from __future__ import annotations

from daftray.domain.cost import priced
from daftray.domain.metrics import RunMetrics, summarise
from daftray.domain.ports import PriceStore, ReportStore, RunStore
from daftray.domain.price import PriceTable

_MOST_LOOKS = 5


class Accounts:
    """Reads counters and prices together: the one place where a run's metrics come from."""

    def __init__(self, *, reports: ReportStore, prices: PriceStore) -> None:
        self._reports = reports
        self._prices = prices

    async def of(self, run_id: str, *, prices: PriceTable | None = None) -> RunMetrics:
        """Return a run's metrics by the prices of its own time, or by others."""
        used = summarise(await self._reports.totals(run_id))
        return priced(used, prices or await self._prices.of_run(run_id))

    async def note(self, run_id: str, runs: RunStore) -> RunMetrics:
        """Write a run's usage beside it, where lists find it; return its metrics.

        Several write it, and one that read the counters earlier may write later than another. So each looks
        again once it has written: whoever comes last has then seen what all the others counted.
        """
        used = await self.of(run_id)
        for _ in range(_MOST_LOOKS):
            written = used.summary()
            await runs.save_usage(run_id, written)
            used = await self.of(run_id)
            if used.summary() == written:
                break
        return used
