"""Between `Run` and its rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from daftray.adapters.db import run_facts
from daftray.adapters.db.rows import RunRow
from daftray.domain.run import Attempt, Run
from daftray.domain.spec import RunSpec

Values = dict[str, Any]  # Any: column values of every type

_SPEC = RunSpec.__struct_fields__
COLUMNS = tuple(name for name in Run.__struct_fields__ if name not in {*_SPEC, "attempts"})
"""The fields of a run that are columns of their own."""

_FIXED = frozenset({"id", "project", "trigger", "task", "rerun_of", "created_by", "created_at"})
_OTHERS_WRITE = frozenset({"cancel_requested_at", "usage"})
_CHANGING = tuple(name for name in COLUMNS if name not in _FIXED | _OTHERS_WRITE)
_LONGEST_SEARCHED = 4000
"""Characters of a name and entrypoint that a text filter looks at. Neither has a bound of its own."""


def run_of(row: RunRow) -> Run:
    """Return the run that a row and its attempts hold."""
    return Run(
        **{name: getattr(row.spec, name) for name in _SPEC},
        **{name: getattr(row, name) for name in COLUMNS},
        attempts=tuple(msgspec.convert(attempt, Attempt, from_attributes=True) for attempt in row.attempts),
    )


def new_values(run: Run, *, now: datetime) -> Values:
    """Return the columns of a new run. It is due at once."""
    return {
        **{name: getattr(run, name) for name in COLUMNS},
        "spec": RunSpec(**{name: getattr(run, name) for name in _SPEC}),
        "search_text": search_text(run),
        "search_facts": run_facts.of_run(run),
        "priority": run.priority,
        "due_at": None if run.status.terminal else now,
    }


def changed_values(run: Run) -> Values:
    """Return the columns that a save writes. A run that has ended is never due again."""
    values: Values = {name: getattr(run, name) for name in _CHANGING}
    return {**values, "due_at": None} if run.status.terminal else values


def search_text(run: Run) -> str:
    """Return what a text filter looks at, beside the commit."""
    return f"{run.name or ''}\n{run.entrypoint.label}".casefold()[:_LONGEST_SEARCHED]
