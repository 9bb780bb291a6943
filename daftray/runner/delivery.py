"""What a run returned, on its way to the control plane."""

from __future__ import annotations

from daftray.runner import entrypoint, report
from daftray.runner.control import ControlPlaneError
from daftray.runner.ending import NOTHING
from daftray.runner.say import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from daftray.runner.control import ControlPlane
    from daftray.runner.ending import Ending
    from daftray.runner.imports import UserImports
    from daftray.runner.results import Result

RESULT_TIMEOUT_S = 60.0


def deliver(end: Ending, control: ControlPlane, *, attempt: int, imports: UserImports) -> Ending:
    """Report a run's result, where it has one. Returns how the run ended, now that its result was made.

    Making it is part of the user's program where it is a lazy DataFrame: an exception then is the run's own.
    A result that cannot be kept is reported as omitted, with the reason, and changes nothing else.
    """
    has_result, value = _choose(end)
    if not has_result:
        return end
    # Only here, as most scripts have no result: what encodes one costs 30 ms to import.
    with imports.aside():
        from daftray.runner import results

    try:
        result = results.make(value)
    except BaseException as error:
        if end.outcome == "returned":
            return entrypoint.failed(error, imports)
        say(f"the result of this run could not be made: {type(error).__name__}")
        return end
    try:
        _send(result, control, attempt)
    except Exception as error:
        say(f"the result of this run could not be stored: {error}")
    finally:
        result.discard()
    return end


def _choose(end: Ending) -> tuple[bool, object]:
    """Return the last result that was given. What a function returns comes after everything it set."""
    was_set, value = report.result()
    if end.value is not NOTHING and not (end.value is None and was_set):
        return True, end.value
    return was_set, value


def _send(result: Result, control: ControlPlane, attempt: int) -> None:
    if result.has_data:
        try:
            with result.open() as data:
                control.result_data(data, result.size, give_up_after_s=RESULT_TIMEOUT_S)
        except ControlPlaneError as error:
            result.omit(f"{result.what} could not be stored: {error}")
    control.result({**result.fields, "attempt": attempt}, give_up_after_s=RESULT_TIMEOUT_S)
