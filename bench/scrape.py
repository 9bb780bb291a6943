"""How long a scrape of ``/metrics`` takes, with few runs and with many, on SQLite and on PostgreSQL.

A database of each kind is filled with made-up runs that have ended (``daftray admin seed``), and then ten
thousand are queued. Each scrape reads the database: what is kept for five seconds is left aside.

    PYTHONPATH=tests python bench/scrape.py [RUNS]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from factories import a_run, new
from places.databases import Place, both_databases

from daftray.adapters.db import Database, SqlProjectStore, SqlRunStore, SqlTallyStore
from daftray.adapters.db.seeding import seed
from daftray.domain.status import RunPhase
from daftray.metrics.exposition import FRESH_FOR, Exposition

RUNS = 1_000_000
QUEUED = 10_000
AT_ONCE = 1000
SCRAPES = 50


class HurryingClock:
    """Lets what was read before be old at each look."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC)

    def now(self) -> datetime:
        """Return a time at which all that was read is old."""
        self._now += FRESH_FOR + timedelta(seconds=1)
        return self._now


@asynccontextmanager
async def opened(place: Place) -> AsyncGenerator[Database]:
    url = place.variables.get("DAFTRAY_DATABASE_URL", f"sqlite:///{place.data / 'daftray.db'}")
    database = Database(url)
    await database.open()
    try:
        await database.migrate()
        yield database
    finally:
        await database.close()


async def scrape(database: Database) -> list[float]:
    """Return how long scrapes took, in milliseconds."""
    exposition = Exposition(tallies=SqlTallyStore(database), clock=HurryingClock())
    times: list[float] = []
    for _ in range(SCRAPES):
        began = time.perf_counter()
        await exposition.text()
        times.append((time.perf_counter() - began) * 1000)
    return times


async def queue(database: Database) -> None:
    (project, *_) = await SqlProjectStore(database).list("default", limit=1, offset=0)
    store = SqlRunStore(database)
    for _ in range(0, QUEUED, AT_ONCE):
        now = datetime.now(UTC)
        runs = [a_run(project=project.id, phase=RunPhase.QUEUED, created_at=now) for _ in range(AT_ONCE)]
        await store.add(*map(new, runs))


async def measure(place: Place, runs: int) -> None:
    async with opened(place) as database:
        await seed(database, runs, tell=lambda _: None)
        show(place, f"{runs:,} ended", await scrape(database))
        await queue(database)
        show(place, f"{runs:,} ended, {QUEUED:,} queued", await scrape(database))


def show(place: Place, what: str, times: list[float]) -> None:
    print(f"| {place.name}, {what} | {statistics.median(times):.1f} | {max(times):.1f} |", flush=True)


if __name__ == "__main__":
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    print("| runs | median, ms | slowest |\n|---|---|---|", flush=True)
    with both_databases() as places:
        for one in places:
            one.data.mkdir(parents=True, exist_ok=True)
            asyncio.run(measure(one, runs))
