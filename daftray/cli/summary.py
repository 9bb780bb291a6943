"""How a run ended, in a few lines: status, reason, exception, result, usage, and how to see more."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from daftray.cli import screen, tables
from daftray.domain.errors import DaftrayError
from daftray.domain.metrics import RunMetrics
from daftray.domain.problem import Frame, Problem
from daftray.domain.result import RunResult
from daftray.domain.run import Attempt, Run
from daftray.domain.status import RunStatus

if TYPE_CHECKING:
    from daftray.client import Client

T = TypeVar("T")
_MOST_ROWS = 10
_MOST_FRAMES = 8
_LONGEST_VALUE = 2000


def tell_ending(client: Client, run: Run) -> None:
    """Say on stderr how a run ended."""
    lines = [ending_line(run)]
    if run.status is RunStatus.FAILED:
        problem = decisive(_if_any(lambda: client.runs.problems(run, attempt=run.attempt)) or [])
        lines += _beyond(run.reason_detail, problem_lines(problem)) if problem else []
    lines += [f"warning: {warning}" for warning in run.warnings]
    if run.status is RunStatus.SUCCEEDED and (result := _if_any(lambda: client.runs.result_preview(run))):
        lines += ["result:", *result_lines(result)]
    if metrics := _if_any(lambda: client.runs.metrics(run)):
        lines += usage_lines(metrics)
    lines.append(f"more: daftray runs get|logs|problems|metrics {run.id}")
    sys.stdout.flush()
    screen.say("\n".join(lines))


def _beyond(said: str | None, lines: list[str]) -> list[str]:
    """Return the lines without the first where the reason has said the same already."""
    return lines[1:] if said and lines[0] == said else lines


def ending_line(run: Run) -> str:
    """Return the run's end in one line: status, seconds, reason and exit code."""
    parts = [f"run {run.id} {run.status.value}"]
    if run.attempt > 1:
        parts.append(f"in attempt {run.attempt}")
    if run.started_at and run.completed_at:
        parts.append(f"after {(run.completed_at - run.started_at).total_seconds():.1f} s")
    return " ".join(parts) + why(run)


def why(ended: Run | Attempt) -> str:
    """Return the reason of a failure with its exit code and detail, as the rest of a line."""
    line = f": {ended.reason.value}" if ended.reason else ""
    if line and ended.exit_code is not None:
        line += f" (exit code {ended.exit_code})"
    return f"{line}: {ended.reason_detail}" if line and ended.reason_detail else line


def decisive(problems: list[Problem]) -> Problem | None:
    """Return the exception that ended the run, or else the most frequent one."""
    raised = [problem for problem in problems if problem.handled == "raise"]
    return max(raised, key=lambda one: one.last_seen) if raised else next(iter(problems), None)


def problem_lines(problem: Problem) -> list[str]:
    """Return an exception with the frames of the user's own code, innermost last."""
    udf = f" in UDF {problem.udf}" if problem.udf else ""
    times = f" ({problem.count} times)" if problem.count > 1 else ""
    lines = [f"{problem.type}: {problem.message}{udf}{times}"]
    frames = [frame for frame in problem.frames if frame.user] or problem.frames
    for frame in frames[-_MOST_FRAMES:]:
        lines += _frame_lines(frame)
    lines += [f"  caused by {cause.type}: {cause.message}" for cause in problem.causes]
    return lines


def _frame_lines(frame: Frame) -> list[str]:
    place = f"  {frame.file}:{frame.line} in {frame.function}"
    return [place, f"    {frame.code.strip()}"] if frame.code else [place]


def result_lines(result: RunResult) -> list[str]:
    """Return a result, or as much of it as fits a screen."""
    if result.kind == "json":
        text = msgspec.json.format(bytes(result.value), indent=2).decode()
        shown = text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}… (shortened)"
        return [shown, *([f"({result.note})"] if result.note else [])]
    if result.kind == "table" and result.preview is not None:
        names = [column.name for column in result.columns or []]
        rows = [[screen.cell(row.get(name)) for name in names] for row in result.preview[:_MOST_ROWS]]
        shown = tables.plain_columns([names, *rows]) if names else []
        note = [f"({result.note})"] if result.note else []
        return [*shown, f"({screen.number(result.rows)} rows)", *note]
    size = f", {result.size:,} bytes" if result.size is not None else ""
    return [result.note or f"{result.kind} of {result.media_type}{size}"]


def usage_lines(metrics: RunMetrics) -> list[str]:
    """Return what is known of a run's usage in one line; what is unknown is not said to be zero."""
    figures = [
        ("requests", metrics.requests),
        ("tokens in", metrics.tokens_in),
        ("tokens out", metrics.tokens_out),
        ("CPU seconds", metrics.cpu_seconds.allocated),
    ]
    known = [f"{screen.number(value)} {name}" for name, value in figures if value is not None]
    known += [screen.dollars(metrics.cost)] if metrics.cost is not None else []
    return [f"usage: {', '.join(known)}"] if known else []


def _if_any(look: Callable[[], T]) -> T | None:
    """Return what there is: a summary that lacks a part is better than none."""
    try:
        return look()
    except DaftrayError:
        return None
