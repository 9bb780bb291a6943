"""Secret values taken out of what a run's code, or Ray, says about its end.

An exception's text is as likely to hold a credential as a log line, and it is kept just as long: in the
run's problems and in the detail of its status.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from daftray.domain.problem import ExceptionInfo, ProblemReport, ProblemSample
from daftray.domain.report import FinishedReport
from daftray.domain.result import RunResult
from daftray.logs.masking import Mask


def masked(report: FinishedReport, mask: Mask) -> FinishedReport:
    """Return a report without secret values in any text that the run's code had a part in."""
    detail, exception = report.detail, report.exception
    return replace(
        report,
        detail=None if detail is None else mask.text(detail),
        exception=None if exception is None else _masked_exception(exception, mask),
    )


def masked_result(result: RunResult, mask: Mask) -> RunResult:
    """Return a result in JSON without secret values: their stars are as long, so it stays JSON."""
    value = msgspec.Raw(mask.whole(bytes(result.value)))
    return replace(result, value=value)


def masked_problem(report: ProblemReport, mask: Mask) -> ProblemReport:
    """Return a problem without secret values in any text that the run's code had a part in."""
    stacktrace = report.stacktrace
    return replace(
        report,
        exception=_masked_exception(report.exception, mask),
        stacktrace=None if stacktrace is None else mask.text(stacktrace),
        samples=tuple(_masked_sample(sample, mask) for sample in report.samples),
    )


def _masked_sample(sample: ProblemSample, mask: Mask) -> ProblemSample:
    arguments = sample.arguments
    return replace(
        sample,
        message=mask.text(sample.message),
        arguments=None if arguments is None else [mask.text(argument) for argument in arguments],
    )


def _masked_exception(exception: ExceptionInfo, mask: Mask) -> ExceptionInfo:
    return replace(
        exception,
        message=mask.text(exception.message),
        notes=[mask.text(note) for note in exception.notes],
        # A line of code can hold the value too, where it was written into the code.
        frames=[
            frame if frame.code is None else replace(frame, code=mask.text(frame.code))
            for frame in exception.frames
        ],
        causes=[_masked_exception(cause, mask) for cause in exception.causes],
    )
