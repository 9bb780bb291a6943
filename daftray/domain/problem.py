"""Exceptions of a run's code, and how equal ones are grouped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

MOST_PROBLEMS = 1000
"""Fingerprints that are kept of an attempt. What comes beyond them is counted together, under `OTHERS`."""
MOST_SAMPLES = 20
"""Samples that are kept of a fingerprint in an attempt: the earliest."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One frame of a stack. ``file`` is relative to the repository where it is the user's (``user``)."""

    file: str
    line: int
    function: str
    code: str | None = None
    user: bool = False


class ExceptionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An exception as the runner saw it: frames innermost last, the chain of causes outermost first."""

    type: str
    message: str
    frames: list[Frame] = msgspec.field(default_factory=list[Frame])
    causes: list[ExceptionInfo] = msgspec.field(default_factory=list["ExceptionInfo"])
    notes: list[str] = msgspec.field(default_factory=list[str])


Handled = Literal["raise", "log", "ignore", "retry"]
"""What became of an exception: it went on, Daft logged it, Daft dropped it, or the call was tried again."""
GRAVEST_FIRST: tuple[Handled, ...] = ("raise", "log", "ignore", "retry")


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Equal exceptions of an attempt, counted. The text is that of the earliest.

    ``handled`` is the gravest thing that became of them.
    """

    fingerprint: str
    type: str
    message: str
    udf: str | None = None
    count: int = 1
    first_seen: datetime
    last_seen: datetime
    attempt: int
    handled: Handled = "raise"
    frames: list[Frame]
    causes: list[ExceptionInfo]
    notes: list[str] = msgspec.field(default_factory=list[str])


class ProblemSample(msgspec.Struct, frozen=True, kw_only=True):
    """One of the exceptions that were counted. ``worker`` is the process that it was in.

    ``arguments`` are the beginnings of what the call was given, where the run was told to keep them: they are
    its data.
    """

    at: datetime
    message: str
    attempt: int = 1
    worker: str | None = None
    arguments: list[str] | None = None


class ProblemReport(msgspec.Struct, frozen=True, kw_only=True):
    """Equal exceptions of one process, counted since it began: the greater count is the later one.

    ``key`` tells them apart inside the process.
    """

    process: str
    key: str
    fingerprint: str
    count: int = 1
    udf: str | None = None
    handled: Handled = "raise"
    first_seen: datetime
    last_seen: datetime
    exception: ExceptionInfo
    stacktrace: str | None = None
    """The traceback as Python prints it."""
    samples: tuple[ProblemSample, ...] = ()

    def problem(self, attempt: int) -> Problem:
        """Return what an attempt has of it, if this is all there is."""
        exception = self.exception
        return Problem(
            fingerprint=self.fingerprint,
            type=exception.type,
            message=exception.message,
            udf=self.udf,
            count=self.count,
            first_seen=self.first_seen,
            last_seen=self.last_seen,
            attempt=attempt,
            handled=self.handled,
            frames=exception.frames,
            causes=exception.causes,
            notes=exception.notes,
        )


class SourceLines(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a file as the run had it, the first of them by its number (from 1).

    ``link`` is the frame's line on the pages of the Git host, where those are known.
    """

    file: str
    first: int
    lines: list[str]
    link: str | None = None


class ProblemDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A problem with some of the exceptions that were counted, and the code around its frames.

    ``problems`` is one for each attempt that has it. ``source`` follows the frames of the first of them; it
    is null for a frame that is not the user's, or whose file cannot be read now.
    """

    problems: list[Problem]
    stacktrace: str | None = None
    samples: list[ProblemSample]
    source: list[SourceLines | None] = msgspec.field(default_factory=list["SourceLines | None"])


class ProblemComparison(msgspec.Struct, frozen=True, kw_only=True):
    """A run's problems beside those of another run, by fingerprint, over all attempts of both."""

    run: str
    """The other run."""
    new: list[Problem]
    """What only this run has."""
    seen: list[Problem]
    """What both have, as this run has it."""
    gone: list[Problem]
    """What only the other has."""


def fingerprint(exception: ExceptionInfo, udf: str | None = None) -> str:
    """Return the text under which equal exceptions meet, across processes, attempts and runs.

    It is made of the type, the UDF and the functions of the user's frames: not of messages, which hold
    values, not of line numbers, which move with every edit above them, and not of how deep a recursion was.
    """
    frames: Iterable[Frame] = [frame for frame in exception.frames if frame.user] or exception.frames
    functions = dict.fromkeys(f"{frame.file}:{frame.function}" for frame in frames)
    parts = [exception.type, udf or "", *functions]
    return hashlib.sha256("\n".join(parts).encode(errors="surrogatepass")).hexdigest()[:16]


def within_bound(reports: Sequence[ProblemReport], known: Iterable[str]) -> list[ProblemReport]:
    """Return reports such that an attempt with the known fingerprints gets no more than `MOST_PROBLEMS`.

    Reports beyond them keep their counts, under `OTHERS`.
    """
    kept, found = set(known), list[ProblemReport]()
    for report in reports:
        if report.fingerprint not in kept and len(kept) >= MOST_PROBLEMS:
            found.append(replace(report, fingerprint=OTHERS, exception=_OF_OTHERS, stacktrace=None, udf=None))
        else:
            kept.add(report.fingerprint)
            found.append(report)
    return found


_OF_OTHERS = ExceptionInfo(
    type="daftray.OtherProblems",  # the runner's name, too, for what is beyond its own bound
    message=f"The attempt has more than {MOST_PROBLEMS} kinds of exceptions; the rest is counted here.",
)

OTHERS = fingerprint(_OF_OTHERS)


def gravest(handled: Iterable[Handled]) -> Handled:
    """Return the gravest of what became of exceptions."""
    return min(handled, key=GRAVEST_FIRST.index)


def compare(run: Sequence[Problem], other_id: str, other: Sequence[Problem]) -> ProblemComparison:
    """Return what is new, was seen before, and is gone, given the problems of two runs."""
    here, there = over_attempts(run), over_attempts(other)
    return ProblemComparison(
        run=other_id,
        new=[problem for problem in here.values() if problem.fingerprint not in there],
        seen=[problem for problem in here.values() if problem.fingerprint in there],
        gone=[problem for problem in there.values() if problem.fingerprint not in here],
    )


def over_attempts(problems: Iterable[Problem]) -> dict[str, Problem]:
    """Return one problem for each fingerprint, counted over attempts, in the words of the latest attempt."""
    found: dict[str, Problem] = {}
    for problem in problems:
        known = found.get(problem.fingerprint)
        if known is None:
            found[problem.fingerprint] = problem
            continue
        latest = max(known, problem, key=lambda one: one.attempt)
        found[problem.fingerprint] = replace(
            latest,
            count=known.count + problem.count,
            first_seen=min(known.first_seen, problem.first_seen),
            last_seen=max(known.last_seen, problem.last_seen),
            handled=gravest((known.handled, problem.handled)),
        )
    return found
