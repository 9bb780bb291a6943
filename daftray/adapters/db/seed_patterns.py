"""Made-up runs as rows: a pattern is a run as its rows hold it, with gaps for what a run has of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import asdict
from sqlalchemy import Dialect, FromClause

from daftray.adapters.db import run_facts, run_rows
from daftray.adapters.db.rows import AttemptRow, RunEventRow, RunLabelRow, RunRow
from daftray.adapters.db.seed_pipelines import NAME, Pipeline
from daftray.adapters.db.seed_walks import COMMIT, ENDINGS, EPOCH, RUN_ID, walked
from daftray.domain.run import Run, RunEvent

Cell = Any  # a value as a database's driver takes it
Rows = dict[str, list[tuple[Cell, ...]]]

TABLES: dict[str, tuple[str, ...]] = {
    RunRow.__tablename__: tuple(RunRow.__table__.columns.keys()),
    AttemptRow.__tablename__: tuple(AttemptRow.__table__.columns.keys()),
    RunLabelRow.__tablename__: ("run_id", "key", "value", "project"),
    RunEventRow.__tablename__: ("run_id", "seq", "event"),
}
"""What is written: by table, its columns in the order of the cells."""

_PINNED = 2
"""The number of the event that tells the commit."""
_INCIDENT = "@incident@"
_INCIDENTS = 0.001
"""The part of runs that has a label of nearly its own."""


@dataclass(frozen=True, kw_only=True)
class Own:
    """What a made-up run has of its own."""

    run_id: str
    created_at: datetime
    name: str
    commit: str
    incident: str


class Pattern:
    """One kind of run. ``share`` is of all runs, in percent, while its pipeline is in use."""

    def __init__(
        self, pipeline: Pipeline, run: Run, events: list[RunEvent], *, share: float, dialect: Dialect
    ) -> None:
        self.pipeline = pipeline
        self.share = share
        self._text_times = dialect.name == "sqlite"
        self._incident = _fact(run.project, _INCIDENT) if _INCIDENT in run.labels.values() else None
        gaps = [RUN_ID, NAME, COMMIT, *([_INCIDENT, self._incident] if self._incident else [])]
        self._run = _Line.of(RunRow.__table__, run_rows.new_values(run, now=EPOCH), gaps, dialect)
        self._attempts = [
            _Line.of(AttemptRow.__table__, {"run_id": run.id, **asdict(attempt)}, gaps, dialect)
            for attempt in run.attempts
        ]
        self._project = run.project
        self._labels = list(run.labels.items())
        self._events = [_around_time(event) for event in events]

    def write(self, own: Own, rows: Rows) -> None:
        """Add a run's rows."""
        at = own.created_at if not self._text_times else own.created_at.replace(tzinfo=None)
        gaps = {RUN_ID: own.run_id, NAME: own.name, COMMIT: own.commit}
        if self._incident:
            gaps |= {_INCIDENT: own.incident, self._incident: _fact(self._project, own.incident)}
        rows["runs"].append(self._run.filled(gaps, at))
        rows["attempts"] += [line.filled(gaps, at) for line in self._attempts]
        for key, value in self._labels:
            rows["run_labels"].append((own.run_id, key, gaps.get(value, value), self._project))
        for seq, (before, after, rest) in enumerate(self._events, 1):
            told = rest.replace(COMMIT, own.commit) if seq == _PINNED else rest
            event = before + (own.created_at + after).isoformat() + told
            rows["run_events"].append((own.run_id, seq, event))


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A row with gaps: columns of texts to fill in, and of times by how long after the start they are."""

    cells: tuple[Cell, ...]
    gaps: tuple[tuple[int, str], ...]
    times: tuple[tuple[int, timedelta], ...]

    @classmethod
    def of(cls, table: FromClause, values: Mapping[str, Any], gaps: Sequence[str], dialect: Dialect) -> _Line:
        """Return the row of values, with these gaps."""
        cells: list[Cell] = []
        times: list[tuple[int, timedelta]] = []
        for number, column in enumerate(table.columns):
            value = values.get(column.key)
            if isinstance(value, datetime):
                times.append((number, value - EPOCH))
            process = column.type.dialect_impl(dialect).bind_processor(dialect)
            cells.append(value if process is None else process(value))
        texts = [(number, cell) for number, cell in enumerate(cells) if isinstance(cell, str)]
        found = [(number, gap) for number, cell in texts for gap in gaps if gap in cell]
        return cls(cells=tuple(cells), gaps=tuple(found), times=tuple(times))

    def filled(self, gaps: Mapping[str, str], at: datetime) -> tuple[Cell, ...]:
        """Return the row of a run that was created at a time; without a zone, times become SQLite's texts."""
        cells = list(self.cells)
        for number, gap in self.gaps:
            cells[number] = cells[number].replace(gap, gaps[gap])
        for number, after in self.times:
            time = at + after
            cells[number] = time.isoformat(" ", "microseconds") if time.tzinfo is None else time
        return tuple(cells)


def patterns_of(pipeline: Pipeline, project_id: str, dialect: Dialect) -> list[Pattern]:
    """Return the patterns of a pipeline: each trigger, each ending, with an incident and without."""
    found: list[Pattern] = []
    for trigger, often in pipeline.triggers.items():
        for ending in ENDINGS:
            for part, more in ((1 - _INCIDENTS, {}), (_INCIDENTS, {"incident": _INCIDENT})):
                labels = {**pipeline.labels, **more}
                run, events = walked(pipeline, project_id, ending, trigger, labels)
                share = ending.share / 100 * often / sum(pipeline.triggers.values()) * pipeline.share * part
                found.append(Pattern(pipeline, run, events, share=share, dialect=dialect))
    return found


def _around_time(event: RunEvent) -> tuple[str, timedelta, str]:
    """Return an event's JSON before its time, how long after the start that is, and the rest."""
    text = msgspec.json.encode(event).decode()
    time = msgspec.json.encode(event.at).decode().strip('"')
    before, _, rest = text.partition(time)
    return before, event.at - EPOCH, rest


def _fact(project: str, incident: str) -> str:
    return run_facts.of_label(project, "incident", incident)
