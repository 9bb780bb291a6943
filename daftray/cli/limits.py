"""How long a run may take, how often it is tried, and who goes first: options of ``run`` and ``rerun``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer
from msgspec import UNSET, UnsetType

from daftray.domain.durations import read_duration
from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.spec import Budget, Retries
from daftray.domain.status import FailureReason

RetryCount = Annotated[
    int | None,
    typer.Option(
        "--retries", metavar="N", min=0, max=20, help="Try a failed run again, at most so often; 0 never."
    ),
]
RetryOn = Annotated[
    list[str] | None,
    typer.Option(
        "--retry-on",
        metavar="REASON,...",
        help="Only after these reasons, such as user_error; those of the platform unless named.",
    ),
]
RetryBackoff = Annotated[
    str | None,
    typer.Option(
        "--retry-backoff",
        metavar="TIME",
        help="The pause before the second attempt, twice as long before each further one; 10s unless given.",
    ),
]
Timeout = Annotated[
    str | None,
    typer.Option("--timeout", metavar="TIME", help="How long an attempt may run: 90s, 10m, 2h, 1d."),
]
StartTimeout = Annotated[
    str | None,
    typer.Option(
        "--start-timeout",
        metavar="TIME",
        help="How long an attempt may take to start, dependencies included; 30m unless given.",
    ),
]
QueueTimeout = Annotated[
    str | None,
    typer.Option(
        "--queue-timeout", metavar="TIME", help="How long it may wait for a place; 7d unless given."
    ),
]
Priority = Annotated[
    int | None,
    typer.Option(
        "--priority",
        metavar="N",
        min=-100,
        max=100,
        help="A higher one goes first within the project; 0 unless given.",
    ),
]
BudgetText = Annotated[
    str | None,
    typer.Option(
        "--budget",
        metavar="NAME=N,...",
        help="Stop the run once it has used more: tokens=2000000, requests=500, usd=5. Over all attempts.",
    ),
]
IdempotencyKey = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        metavar="KEY",
        help="The same key and request make nothing new: for scripts that may be started twice.",
    ),
]
MaxRunning = Annotated[
    str | None,
    typer.Option(
        "--max-running",
        metavar="N|none",
        help="How many of its runs may be on a cluster at a time; others wait.",
    ),
]
_NO_BOUND = "none"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed. What was not stays unset; None takes away what a run had."""

    retries: Retries | UnsetType | None = UNSET
    budget: Budget | UnsetType | None = UNSET
    priority: int | None = None
    timeout_s: float | UnsetType | None = UNSET
    start_timeout_s: float | UnsetType | None = UNSET
    queue_timeout_s: float | UnsetType | None = UNSET

    def given(self) -> dict[str, Any]:
        """Return the fields of a run that were typed, by name."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        if self.priority is None:
            del fields["priority"]
        return {name: value for name, value in fields.items() if value is not UNSET}


def read_retries(
    count: int | None, on: Sequence[str] | None, backoff: str | None
) -> Retries | UnsetType | None:
    """Return the retries that the three options mean together.

    Raises:
        InvalidInputError: a reason or a time is none, or it is not said how often.
    """
    if count is None:
        if on or backoff:
            raise _refusal(
                "--retries", "say how often with --retries N beside --retry-on or --retry-backoff."
            )
        return UNSET
    if count == 0:
        return None
    reasons = [_reason(name.strip()) for text in on or () for name in text.split(",")]
    retries = Retries(max=count, on=tuple(reasons) or None)
    if backoff is None:
        return retries
    return msgspec.structs.replace(retries, backoff=read_duration("--retry-backoff", backoff))


def read_bound(option: str, text: str | None) -> float | UnsetType | None:
    """Return the seconds that an option bounds something by. Raises `InvalidInputError`."""
    if text is None:
        return UNSET
    return None if text == _NO_BOUND else read_duration(option, text)


def read_budget(text: str | None) -> Budget | UnsetType | None:
    """Return the budget that a text such as ``tokens=2000000,usd=5`` means. Raises `InvalidInputError`."""
    if text is None:
        return UNSET
    if text == _NO_BOUND:
        return None
    amounts: dict[str, str] = {}
    for part in text.split(","):
        name, equals, amount = part.strip().partition("=")
        if not equals or name in amounts or name not in Budget.__struct_fields__:
            known = ", ".join(Budget.__struct_fields__)
            message = f"{part.strip()!r} is none: write NAME=N, each once, of {known}; or {_NO_BOUND}."
            raise _refusal("--budget", message)
        amounts[name] = amount.replace("_", "")
    try:
        return msgspec.convert(amounts, Budget, strict=False)
    except msgspec.ValidationError as exc:
        raise _refusal("--budget", f"{text!r} cannot be one: {exc}.") from exc


def read_limits(
    *,
    retries: int | None,
    retry_on: Sequence[str] | None,
    retry_backoff: str | None,
    timeout: str | None,
    start_timeout: str | None,
    queue_timeout: str | None,
    priority: int | None,
    budget: str | None,
) -> Limits:
    """Return what the options mean. Raises `InvalidInputError`."""
    return Limits(
        retries=read_retries(retries, retry_on, retry_backoff),
        budget=read_budget(budget),
        priority=priority,
        timeout_s=read_bound("--timeout", timeout),
        start_timeout_s=read_bound("--start-timeout", start_timeout),
        queue_timeout_s=read_bound("--queue-timeout", queue_timeout),
    )


def read_places(text: str) -> int | None:
    """Return how many runs of a project may be on a cluster at a time. Raises `InvalidInputError`."""
    if text == _NO_BOUND:
        return None
    if not (text.isascii() and text.isdigit()):
        raise _refusal("--max-running", f"{text!r} is no number of runs: write 1 or more, or {_NO_BOUND}.")
    return int(text)


def _reason(name: str) -> FailureReason:
    try:
        return FailureReason(name)
    except ValueError:
        known = ", ".join(reason.value for reason in FailureReason)
        raise _refusal("--retry-on", f"{name!r} is no reason of a failure: {known}.") from None


def _refusal(option: str, message: str) -> InvalidInputError:
    return InvalidInputError(f"{option}: {message}", issues=(InputIssue(path=option, message=message),))
