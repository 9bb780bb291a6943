"""What runs have used, and what that costs."""

from __future__ import annotations

from daftray.domain.cost import priced
from daftray.domain.metrics import RunMetrics, summarise
from daftray.domain.ports import PriceStore, ReportStore
from daftray.domain.price import PriceTable


class Accounts:
    """Reads counters and prices together: the one place where a run's metrics come from."""

    def __init__(self, *, reports: ReportStore, prices: PriceStore) -> None:
        self._reports = reports
        self._prices = prices

    async def of(self, run_id: str, *, prices: PriceTable | None = None) -> RunMetrics:
        """Return a run's metrics by the prices of its own time, or by others."""
        used = summarise(await self._reports.totals(run_id))
        return priced(used, prices or await self._prices.of_run(run_id))
