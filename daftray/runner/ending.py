"""How the user's code ended: the one word that the control plane decides a run's status by."""

from __future__ import annotations

LONGEST_DETAIL = 8 * 1024
USAGE_EXIT_CODE = 2
"""What ``argparse`` and Python itself exit with when they are called wrongly."""
INTERRUPTED_EXIT_CODE = 130
"""What a shell shows for a process that SIGINT ended."""


NOTHING = object()
"""The value of a file or a module: they have none, while a function that returns None has one."""


class EntrypointNotFoundError(Exception):
    """The file, module or function is not there. The message says what is."""


class ArgumentsInvalidError(Exception):
    """The arguments do not fit the function. The message has a line for each that does not."""


class Ending:
    """An outcome, in the words of ``daftray/domain/report.py``.

    Args:
        outcome: returned, exited, raised, entrypoint_not_found or arguments_invalid.
        exit_code: what the process will exit with.
        detail: a text for people, where there is more to say than the outcome.
        exception: an ``ExceptionInfo``, for raised.
        value: what a function returned.
    """

    __slots__ = ("detail", "exception", "exit_code", "interrupted", "outcome", "problem", "value")

    def __init__(
        self,
        outcome: str,
        exit_code: int,
        *,
        detail: str | None = None,
        exception: dict[str, object] | None = None,
        value: object = NOTHING,
    ) -> None:
        self.outcome = outcome
        self.exit_code = exit_code
        self.detail = detail if detail is None else detail[:LONGEST_DETAIL]
        self.exception = exception
        self.value = value
        self.problem: dict[str, object] | None = None
        """Under what this process has counted the exception before it ended the run."""
        self.interrupted = False


def returned(value: object) -> Ending:
    """The code ran to its end."""
    return Ending("returned", 0, value=value)


def exited(error: SystemExit) -> tuple[Ending, str | None]:
    """The code called ``sys.exit``. Returns also what Python would print on stderr."""
    code = error.code
    if code is None:
        return Ending("exited", 0), None
    if isinstance(code, int):
        # The kernel keeps the lowest eight bits.
        return Ending("exited", code & 0xFF), None
    text = str(code)
    return Ending("exited", 1, detail=text), text


def raised(error: BaseException, root: str) -> Ending:
    """An exception left the code, which lies in ``root``."""
    from daftray.runner import report
    from daftray.runner.failure import describe  # only where something failed

    interrupted = isinstance(error, KeyboardInterrupt)
    problem: dict[str, object] | None = None
    try:
        problems = report.problems()
        known = None if problems is None else problems.known(error)
        if problems is not None and known is not None:
            # The same words as there, or it would be another problem to the control plane.
            exception: dict[str, object] = known.info
            problem = {"process": problems.process, "key": known.key, "udf": known.udf}
        else:
            exception = describe(error, root)
    except Exception:  # an exception class may do anything when it is asked
        exception = {"type": type(error).__name__, "message": "<this exception cannot be described>"}
    ending = Ending("raised", INTERRUPTED_EXIT_CODE if interrupted else 1, exception=exception)
    ending.problem = problem
    ending.interrupted = interrupted
    return ending
