"""How the last check of each data source or catalog went."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from daftray.domain.connection import ConnectionSort
from daftray.domain.errors import ResultNotFoundError, ResultRemovedError
from daftray.domain.ports import RunQuery
from daftray.domain.project import Project
from daftray.domain.result import Column
from daftray.domain.run import Run
from daftray.domain.trigger import CHECK
from daftray.metrics.outcomes import Outcomes
from daftray.runs.service import Runs

_LOOKED_THROUGH = 200
"""Checks, newest first, among which the last one of each is looked for."""


class Misfortune(msgspec.Struct, frozen=True):
    """Why something could not be opened."""

    type: str = ""
    reason: str = ""


class Told(msgspec.Struct, frozen=True):
    """What a check returns (``runner/connections/check.py``): of a table its columns, of a catalog names."""

    ok: bool
    columns: list[Column] = []
    rows_seen: int | None = None
    namespaces: list[str] = []
    tables: list[str] = []
    more: bool = False
    error: Misfortune | None = None


class Checked(msgspec.Struct, frozen=True):
    """A check's run, and what it told, once it did."""

    run: Run
    told: Told | None


async def last_checks(
    runs: Runs, outcomes: Outcomes, home: Project, sort: ConnectionSort, ids: Collection[str]
) -> dict[str, Checked]:
    """Return the last check of each that had one lately, by its id."""
    last: dict[str, Run] = {}
    for run in await runs.list(RunQuery(project=home.id, trigger=CHECK, limit=_LOOKED_THROUGH)):
        function = run.entrypoint.function
        if function is not None and function.symbol == sort.value:
            checked = (function.kwargs or {}).get("name")
            if isinstance(checked, str) and checked in ids:
                last.setdefault(checked, run)
    return {checked: Checked(run, await _told(outcomes, run)) for checked, run in last.items()}


async def _told(outcomes: Outcomes, run: Run) -> Told | None:
    if not run.status.terminal:
        return None
    try:
        result = await outcomes.result(run.id)
        return msgspec.json.decode(result.value, type=Told)
    except (ResultNotFoundError, ResultRemovedError, msgspec.DecodeError):
        return None
