"""Which made-up runs a database is filled with, and when they were."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Dialect

from daftray.adapters.db.seed_patterns import TABLES, Own, Pattern, Rows, patterns_of
from daftray.adapters.db.seed_pipelines import PIPELINES
from daftray.domain.ids import Ids

REACH = timedelta(days=180)
"""How far back the runs reach."""
_UNTIL = timedelta(hours=1)
"""How long ago the newest was created: all have ended."""
_BATCH = 10_000
_RUNS_PER_COMMIT = 8


def batches(
    projects: Mapping[str, str], dialect: Dialect, runs: int, *, now: datetime, chance: int
) -> Iterator[Rows]:
    """Yield the rows of so many runs, some thousands at a time, from the oldest to the newest.

    ``projects`` are ids by the names in the pipelines; ``chance`` decides what comes by chance.
    """
    choice = random.Random(chance)  # noqa: S311 (no secret)
    patterns = [
        pattern
        for pipeline in PIPELINES
        for pattern in patterns_of(pipeline, projects[pipeline.project], dialect)
    ]
    ids = Ids()
    step = REACH / runs
    commit = _commit(choice)
    for start in range(0, runs, _BATCH):
        numbers = range(start, min(start + _BATCH, runs))
        rows: Rows = {table: [] for table in TABLES}
        for number, pattern in zip(
            numbers, _chosen(patterns, start / runs, len(numbers), choice), strict=True
        ):
            at = now - _UNTIL - REACH + step * (number + choice.random())
            if number % _RUNS_PER_COMMIT == 0:
                commit = _commit(choice)
            own = Own(
                run_id=ids.new("run", at),
                created_at=at,
                name=f"{at.date()}-{number % 1000:03}",
                commit=commit,
                incident=f"inc-{number}",
            )
            pattern.write(own, rows)
        yield rows


def _chosen(patterns: list[Pattern], part: float, count: int, choice: random.Random) -> list[Pattern]:
    """Return so many patterns by chance, of those whose pipelines were in use at that part of the time."""
    in_use = [one for one in patterns if one.pipeline.in_use[0] <= part < one.pipeline.in_use[1]]
    return choice.choices(in_use, [one.share for one in in_use], k=count)


def _commit(choice: random.Random) -> str:
    return f"{choice.getrandbits(160):040x}"
