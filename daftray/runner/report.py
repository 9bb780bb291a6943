"""What a run's own code reports: ``daftray.record_usage``, ``daftray.increment``, ``daftray.set_result``.

Outside a run all three do nothing, so that the same code runs anywhere.
"""

from __future__ import annotations

from daftray.runner import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import ContextVar
    from typing import Any

    from daftray.runner.counters import Counters
    from daftray.runner.problems import Problems
    from daftray.runner.process import Reporter

    Pairs = tuple[tuple[str, str], ...]

_INFINITY = float("inf")
_SHORT_NAMES = {"operation": names.OPERATION, "outcome": names.OUTCOME, "udf": names.UDF}
"""Attributes that have a standard name, by what callers may write."""


class _Process:
    """What the three functions of this module act on. One per process: the user's code passes no handle."""

    counters: Counters | None = None
    reporter: Reporter | None = None
    where: Any = tuple  # Any: a checker takes a function of a class for its method
    """Returns what is to be added to what is counted: nothing, until there are UDFs."""
    result: object = None
    has_result = False


def use(counters: Counters, reporter: Reporter | None = None) -> None:
    """Let this process count into these counters, and report by this reporter, from now on."""
    _Process.counters = counters
    _Process.reporter = reporter


def counters() -> Counters | None:
    """Return the process's counters, None outside a run."""
    return _Process.counters


def problems() -> Problems | None:
    """Return what counts the process's exceptions, None outside a run."""
    return None if _Process.reporter is None else _Process.reporter.problems()


def inside() -> ContextVar[Pairs]:
    """Return what says which UDF runs in a context; from now on, what is counted asks it."""
    from daftray.runner.inside import udf

    _Process.where = udf.get
    return udf


def where() -> Pairs:
    """Return the attributes of where something is counted."""
    pairs: Pairs = _Process.where()
    return pairs


def flush() -> None:
    """Send what this process has counted, now."""
    if _Process.reporter is not None:
        _Process.reporter.flush()


def flush_now() -> None:
    """Send what this process has counted, unless the control plane is away or wants fewer reports."""
    if _Process.reporter is not None:
        _Process.reporter.flush_now()


def increment(name: str, /, amount: float = 1, **attributes: object) -> None:
    """Add to a counter of your own, which the run's page shows.

    Args:
        name: the counter's name.
        amount: how much, 0 or more.
        **attributes: what to tell counts apart by, such as ``kind="image"``. Few distinct values:
            a process keeps 2,000 combinations and folds the rest together.

    Raises:
        ValueError: the amount is negative or not finite.
    """
    if type(amount) is not int:
        amount = _number(amount, name)
    elif amount < 0:
        raise _negative(name, amount)
    counters = _Process.counters
    if counters is None:
        return
    udf = _Process.where()
    # By hand, and not in a method of the counters: 300 ns is all that a row can spare.
    counters.acquire()
    try:
        if attributes:
            counters.custom[name, (*attributes.items(), *udf)] += amount
        else:
            counters.named[udf][name] += amount
    except (KeyError, TypeError):
        if attributes:
            counters.add_new(counters.custom, name, amount, (*attributes.items(), *udf))
        else:
            counters.add_named(name, amount, udf)
    finally:
        counters.release()
    if counters.quiet:
        counters.wake()


def record_usage(
    *,
    model: str | None = None,
    provider: str | None = None,
    requests: float = 1,
    tokens_in: float | None = None,
    tokens_out: float | None = None,
    **attributes: object,
) -> None:
    """Record calls of a model that daftray cannot see by itself.

    Args:
        model: the model's name.
        provider: who serves it.
        requests: how many calls, 0 or more.
        tokens_in: tokens read, None where unknown.
        tokens_out: tokens written, None where unknown.
        **attributes: what else to tell usage apart by, such as ``operation``, ``outcome`` and ``udf``.

    Raises:
        ValueError: an amount is negative or not finite.
    """
    amounts = (
        (names.REQUESTS, None, _number(requests, "requests")),
        (names.TOKENS, "input", None if tokens_in is None else _number(tokens_in, "tokens_in")),
        (names.TOKENS, "output", None if tokens_out is None else _number(tokens_out, "tokens_out")),
    )
    counters = _Process.counters
    if counters is None:
        return
    pairs = [(names.MODEL, model), (names.PROVIDER, provider)]
    pairs += [(_SHORT_NAMES.get(name, name), value) for name, value in attributes.items()]
    known = tuple((name, value) for name, value in pairs if value is not None)
    if "udf" not in attributes:
        known += _Process.where()
    for metric, token_type, amount in amounts:
        if amount:
            extra = () if token_type is None else ((names.TOKEN_TYPE, token_type),)
            counters.add(metric, amount, known + extra)


def set_result(value: object) -> None:
    """Make this the run's result; the last call wins. What a function returns wins over it, unless None.

    Takes what a function may return: anything that JSON can say, dataclasses and pydantic models, tables
    of Daft, pandas or pyarrow, bytes. Only the run's own process can: a call in a Ray worker does nothing.
    """
    _Process.result = value
    _Process.has_result = True


def result() -> tuple[bool, object]:
    """Return whether a result was set, and the result."""
    return _Process.has_result, _Process.result


def _number(amount: float, name: str) -> float:
    number = amount if type(amount) is int else float(amount)
    if not 0 <= number < _INFINITY:
        raise _negative(name, amount)
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _negative(name: str, amount: float) -> ValueError:
    return ValueError(f"{name} can only grow: the amount must be a finite number, 0 or more, not {amount!r}")
