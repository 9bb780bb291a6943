"""Log records that tell of exceptions: the runner's own, which are cumulative, and any OpenTelemetry code's.

The runner's say under which key a process counts equal exceptions, and how many there were so far. Another's
record is one exception; it is known by its content, so that sending it again changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from daftray.domain.problem import (
    GRAVEST_FIRST,
    ExceptionInfo,
    Frame,
    Handled,
    ProblemReport,
    ProblemSample,
    fingerprint,
)
from daftray.metrics.otlp_logs import LogRecord

_FOREIGN = "otel:"
"""What the keys of other code's records begin with."""
LONGEST_MESSAGE = 8 * 1024
LONGEST_STACKTRACE = 16 * 1024
LONGEST_CODE = 300
MOST_FRAMES = 100
MOST_CAUSES = 10
_LONGEST_NAME = 300
_MOST_BROUGHT = 5
"""Samples that one process brings of a key."""
_MOST_ARGUMENTS = 32
_LONGEST_ARGUMENT = 300
_MOST_COUNT = 2**53
_HANDLED: dict[str, Handled] = {known: known for known in GRAVEST_FIRST}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_NS = 253_402_300_799 * 10**9
_PACKAGED = "/working_dir_files/"
"""Where Ray unpacks a job's working directory: what is in there is the user's."""
_FRAME = re.compile(
    r'^ +File "(?P<file>[^"\n]+)", line (?P<line>\d{1,9}), in (?P<function>[^\n]+)'
    r"(?:\n {4,}(?P<code>[^\n]*))?",
    re.MULTILINE,
)


class _Sample(msgspec.Struct, frozen=True):
    at_ns: int
    message: str
    worker: str | None = None
    arguments: list[str] | None = None


def problem_reports(records: Iterable[LogRecord], *, attempt: int, received: datetime) -> list[ProblemReport]:
    """Return what the records say of exceptions; others say nothing of them."""
    return [
        _of_another(record, attempt, received)
        if record.text("daftray.problem.key") is None
        else _of_runner(record, attempt, received)
        for record in records
        if record.text("exception.type")
    ]


def is_foreign(report: ProblemReport) -> bool:
    """Tell whether a report is of one exception, from code that is not the runner's."""
    return report.key.startswith(_FOREIGN)


def _of_runner(record: LogRecord, attempt: int, received: datetime) -> ProblemReport:
    exception, udf = _exception(record), _name(record.text("daftray.udf")) or None
    last = _known(record.at, received)
    return ProblemReport(
        process=_name(record.process),
        key=_name(record.text("daftray.problem.key")),
        fingerprint=fingerprint(exception, udf),
        count=min(max(record.number("daftray.problem.count") or 1, 1), _MOST_COUNT),
        udf=udf,
        handled=_handled(record.text("daftray.handled")),
        first_seen=min(last, _time(record.number("daftray.problem.first_ns"), last)),
        last_seen=last,
        exception=exception,
        stacktrace=_stacktrace(record),
        samples=_samples(record.text("daftray.problem.samples"), attempt, last),
    )


def _of_another(record: LogRecord, attempt: int, received: datetime) -> ProblemReport:
    frames = _frames_of_text(record.text("exception.stacktrace") or "")
    exception = replace(_plain(record), frames=frames)
    at, udf = _known(record.at, received), _name(record.text("daftray.udf")) or None
    worker = _name(record.process)
    return ProblemReport(
        process=worker,
        key=_FOREIGN + record.digest,
        fingerprint=fingerprint(exception, udf),
        udf=udf,
        handled="log",
        first_seen=at,
        last_seen=at,
        exception=exception,
        stacktrace=_stacktrace(record),
        samples=(ProblemSample(at=at, message=exception.message, attempt=attempt, worker=worker),),
    )


def _exception(record: LogRecord) -> ExceptionInfo:
    """Return the exception with its frames; where those cannot be read, what the plain attributes say."""
    try:
        exception = msgspec.json.decode(record.text("daftray.problem.info") or "", type=ExceptionInfo)
    except (msgspec.DecodeError, RecursionError):
        return _plain(record)
    causes = [replace(_bounded(cause), causes=[]) for cause in exception.causes[:MOST_CAUSES]]
    return replace(_bounded(exception), causes=causes)


def _plain(record: LogRecord) -> ExceptionInfo:
    message = record.text("exception.message") or ""
    return _bounded(ExceptionInfo(type=record.text("exception.type") or "", message=message))


def _bounded(exception: ExceptionInfo) -> ExceptionInfo:
    return replace(
        exception,
        type=_name(exception.type) or "Exception",
        message=_text(exception.message, LONGEST_MESSAGE),
        frames=[_frame(frame) for frame in exception.frames[-MOST_FRAMES:]],
        notes=[_text(note, LONGEST_MESSAGE) for note in exception.notes[:MOST_CAUSES]],
    )


def _frame(frame: Frame) -> Frame:
    code = None if frame.code is None else _text(frame.code, LONGEST_CODE)
    line = min(max(frame.line, 0), 2**31 - 1)
    return replace(frame, file=_name(frame.file), function=_name(frame.function), code=code, line=line)


def _frames_of_text(stacktrace: str) -> list[Frame]:
    """Return the frames of a traceback as Python prints it; in other languages' there are none."""
    found = list(_FRAME.finditer(stacktrace))[-MOST_FRAMES:]
    frames: list[Frame] = []
    for match in found:
        file, user = match["file"], False
        if _PACKAGED in file:
            file, user = file.partition(_PACKAGED)[2].partition("/")[2], True
        elif "/site-packages/" in file:
            file = file.rpartition("/site-packages/")[2]
        code = (match["code"] or "").strip() or None
        frames.append(
            _frame(
                Frame(file=file, line=int(match["line"]), function=match["function"], code=code, user=user)
            )
        )
    return frames


def _stacktrace(record: LogRecord) -> str | None:
    text = record.text("exception.stacktrace")
    return _text(text, LONGEST_STACKTRACE) if text else None


def _samples(text: str | None, attempt: int, at: datetime) -> tuple[ProblemSample, ...]:
    try:
        brought: Sequence[_Sample] = msgspec.json.decode(text or "[]", type=list[_Sample])
    except (msgspec.DecodeError, RecursionError):
        return ()
    return tuple(
        ProblemSample(
            at=_time(sample.at_ns, at),
            message=_text(sample.message, LONGEST_MESSAGE),
            attempt=attempt,
            worker=_name(sample.worker) or None,
            arguments=None
            if sample.arguments is None
            else [_text(one, _LONGEST_ARGUMENT) for one in sample.arguments[:_MOST_ARGUMENTS]],
        )
        for sample in brought[:_MOST_BROUGHT]
    )


def _handled(text: str | None) -> Handled:
    return _HANDLED.get(text or "", "raise")


def _known(at: datetime, received: datetime) -> datetime:
    """Return a time of a process's clock, or when it came in where it was not told."""
    return at if at > _EPOCH else received


def _time(ns: int | None, otherwise: datetime) -> datetime:
    """Return a time of a process's clock; one that no calendar has is not known."""
    return _EPOCH + timedelta(microseconds=ns // 1000) if ns and 0 < ns < _LATEST_NS else otherwise


def _name(text: str | None) -> str:
    """Return a short text that every database keeps in a key."""
    return _text((text or "").replace("\0", ""), _LONGEST_NAME)


def _text(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
