"""Counters: cumulative reports in, totals out, whatever their order and however often they come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from daftray.adapters.db.dialect import insert
from daftray.adapters.db.report_rows import CounterRow
from daftray.domain.counters import Counter, CounterTotal
from daftray.domain.errors import InvalidInputError

_Key = tuple[str, str, str]


def rows_of(run_id: str, attempt: int, counters: Sequence[Counter]) -> list[dict[str, Any]]:
    """Return one row per process, metric and attributes: the greatest of the batch.

    PostgreSQL refuses to change a row twice in one statement, and fewer rows are faster everywhere.

    Raises:
        InvalidInputError: a value is infinite or no number.
    """
    greatest: dict[_Key, float] = {}
    for counter in counters:
        if not math.isfinite(counter.value):
            raise InvalidInputError(f"The counter {counter.metric} has no finite value: {counter.value}.")
        attributes = msgspec.json.encode(counter.attributes, order="deterministic").decode()
        key = (counter.process, counter.metric, attributes)
        greatest[key] = max(counter.value, greatest.get(key, counter.value))
    return [
        {
            "run_id": run_id,
            "attempt": attempt,
            "process": process,
            "metric": metric,
            "attributes": attributes,
            "value": value,
        }
        for (process, metric, attributes), value in sorted(greatest.items())
    ]


async def fold(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Write the rows that say more than what is there."""
    statement = insert(session, CounterRow)
    value = statement.excluded.value
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["run_id", "attempt", "process", "metric", "attributes"],
            set_={"value": value},
            where=CounterRow.value < value,
        ),
        rows,
    )


async def totals(session: AsyncSession, run_id: str) -> list[CounterTotal]:
    """Return the sums over processes, by metric, attributes and attempt."""
    what = (CounterRow.metric, CounterRow.attributes, CounterRow.attempt)
    found = await session.execute(
        select(*what, func.sum(CounterRow.value))
        .where(CounterRow.run_id == run_id)
        .group_by(*what)
        .order_by(*what)
    )
    return [
        CounterTotal(
            metric=metric,
            attributes=msgspec.json.decode(attributes, type=dict[str, str]),
            value=value,
            attempt=attempt,
        )
        for metric, attributes, attempt, value in found
    ]
