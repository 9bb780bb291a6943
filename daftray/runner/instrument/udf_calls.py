"""What is known of a UDF while it is called: its name, and what becomes of its exceptions.

Neither reaches the call: `daftray.runner.instrument.daft_func` notes both on what Daft pickles, and here
they are looked up once for each UDF of a process.
"""

from __future__ import annotations

import os
import threading
import weakref

from daftray.runner import names, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

POLICIES = "_daftray_policies"
"""Where an instance of Daft's carries name, on_error and retries of its methods, by their qualified names."""
ARGUMENT_PREVIEWS = "DAFTRAY_ARGUMENT_PREVIEWS"
"""``1`` where the project wants to see what a failing call was given. It is the user's data."""
MAX_ARGUMENTS = 20
LONGEST_ARGUMENT = 200
MAX_RETRYING = 1000
_GENERATOR = "Func.__call__.<locals>.method"
"""What Daft calls the function that it makes of a generator; it closes over the Func."""


class Udf:
    """A UDF as it is called in this process.

    Args:
        name: the module's and the function's name, or the name that the user gave it.
        on_error: raise, log or ignore.
        retries: how often Daft calls it again after an exception.
    """

    __slots__ = ("_attempts", "name", "on_error", "pairs", "references", "retries")

    def __init__(self, name: str, on_error: str, retries: int) -> None:
        self.name = name
        self.on_error = on_error
        self.retries = retries
        self.pairs = ((names.UDF, name),)
        self.references: tuple[object, ...] = ()
        self._attempts: dict[object, int] = {}

    def handled(self, call: object) -> str:
        """Return what becomes of an exception of a call that fails now, or whose rows do."""
        return "retry" if self._attempts.get(call, 0) < self.retries else self.on_error

    def failed(self, call: object) -> None:
        """Note that a call has failed: the next of the same is its repetition."""
        attempts = self._attempts.pop(call, 0) + 1
        if attempts <= self.retries:
            if len(self._attempts) >= MAX_RETRYING:
                self._attempts.clear()
            self._attempts[call] = attempts

    def succeeded(self, call: object) -> None:
        """Note that a call has come to its end."""
        self._attempts.pop(call, None)

    def tell(self, error: BaseException, handled: str, arguments: list[str] | None = None) -> None:
        """Count an exception that leaves it."""
        tell(error, self.name, handled, arguments)


def tell(
    error: BaseException, udf: str | None, handled: str = "raise", arguments: list[str] | None = None
) -> None:
    """Count an exception. Raises nothing: it is on its way through the user's code."""
    try:
        problems = report.problems()
        if problems is not None:
            problems.add(error, udf=udf, handled=handled, arguments=arguments)
    except Exception:
        return


class Udfs:
    """The UDFs of this process. ``known`` has each by the identities of what Daft calls it with."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, int], Udf] = {}

    def find(self, instance: object, method: object) -> Udf:
        """Look a UDF up that is not among the known. Keeps neither of the two alive, and raises nothing."""
        udf = _read(instance, method)
        key = (id(instance), id(method))

        def forget(_: object) -> None:
            self.known.pop(key, None)

        try:
            udf.references = (weakref.ref(instance, forget), weakref.ref(method, forget))
        except TypeError:  # of some things there is no telling when they are gone
            return udf
        self.known[key] = udf
        return udf


def previews() -> bool:
    """Whether the run is to show the arguments of failing calls."""
    return os.environ.get(ARGUMENT_PREVIEWS) == "1"


def preview(values: Sequence[object]) -> list[str]:
    """Return the beginnings of some values."""
    return [_beginning(value) for value in values[:MAX_ARGUMENTS]]


def thread() -> int:
    """Return what tells calls apart that are repeated in one thread, at once."""
    return threading.get_ident()


def _beginning(value: object) -> str:
    try:
        text = repr(value[:LONGEST_ARGUMENT] if isinstance(value, (str, bytes)) else value)
    except Exception as error:
        return f"<it cannot be shown: {type(error).__name__}>"
    return text if len(text) <= LONGEST_ARGUMENT else text[:LONGEST_ARGUMENT] + "…"


def _read(instance: Any, method: Any) -> Udf:
    try:
        for cell in method.__closure__ if method.__qualname__ == _GENERATOR else ():
            func = cell.cell_contents
            if hasattr(func, "func_id"):
                return Udf(str(func.name), func.on_error or "raise", func.max_retries or 0)
        noted = getattr(instance, "__dict__", {}).get(POLICIES, {}).get(method.__qualname__)
        if noted is not None:
            name, on_error, retries = noted
            return Udf(str(name), str(on_error), int(retries))
        return Udf(f"{method.__module__}.{method.__qualname__}", "raise", 0)
    except Exception:
        return Udf(type(method).__qualname__, "raise", 0)
