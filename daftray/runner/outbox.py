"""Which of a process's problems are still to be sent, and sending them in pieces of a bounded size."""

from __future__ import annotations

from daftray.runner import otlp
from daftray.runner.say import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daftray.runner.control import ControlPlane
    from daftray.runner.problems import Problem, Problems

MOST_RECORDS = 20
"""Problems in one request: each is 100 KiB at most."""
_UNAUTHORIZED = frozenset({401, 403})


class Outbox:
    """Sends problems. A control plane that takes none of them still gets the counts."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._refused = False

    def send(
        self, control: Callable[[], ControlPlane], resource: Mapping[str, str], timeout_s: float
    ) -> float | None:
        """Send what is new; return the seconds that the server asks to wait, None where nothing was sent.

        Raises:
            ControlPlaneError: it was not delivered, and may be later; or the process may report nothing.
        """
        asked_s: float | None = None
        waiting = [] if self._refused else self._problems.changed()
        for at in range(0, len(waiting), MOST_RECORDS):
            piece = waiting[at : at + MOST_RECORDS]
            asked_s = self._send(control(), piece, resource, timeout_s) or asked_s or 0.0
            if self._refused:
                break
            self._problems.sent(piece)
        return asked_s

    def _send(
        self,
        control: ControlPlane,
        piece: list[tuple[Problem, int]],
        resource: Mapping[str, str],
        timeout_s: float,
    ) -> float | None:
        from daftray.runner.control import ControlPlaneError

        body = otlp.encode_logs(piece, resource=resource)
        try:
            return control.logs(body, timeout_s=timeout_s)
        except ControlPlaneError as error:
            if error.retryable or error.status in _UNAUTHORIZED:
                raise
            self._refused = True
            say(f"problems of this process are not shown: {error}")
            return None
