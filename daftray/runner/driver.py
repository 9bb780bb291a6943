"""A run's driver process, from its start to its last word.

1. Report ``started``; the answer says what to run, and holds the secrets.
2. Run it, as plain Python would. 3. Deliver its result. 4. Give the workers' last reports time to arrive.
5. End like plain Python: threads are waited for, ``atexit`` handlers run. Ours, registered first, runs
   last: it reports ``finished``.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time

from daftray.runner import ending, entrypoint, process, workers

# Loaded here, while a user's `json.py` cannot be found in place of Python's.
from daftray.runner import otlp as _otlp  # noqa: F401 # pyright: ignore[reportUnusedImport]
from daftray.runner.control import ControlPlane, ControlPlaneError
from daftray.runner.delivery import deliver
from daftray.runner.exporter import FLUSH_INTERVAL_S
from daftray.runner.identity import Identity
from daftray.runner.say import say
from daftray.runner.settings import DRIVER
from daftray.runner.shapes import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NoReturn

    from daftray.runner.process import Reporter
    from daftray.runner.settings import RunSettings

START_TIMEOUT_S = 300.0
"""How long the control plane may be away when a run starts: a server that is being upgraded comes back."""
NEVER_STARTED = 75
"""The exit code where the code never began, for want of the control plane (EX_TEMPFAIL of sysexits.h)."""
FINISH_TIMEOUT_S = 60.0
COUNTS_TIMEOUT_S = 30.0
"""As long as at the start: a control plane that is started anew, or replaced, is away for a while."""
WORKERS_FLUSH_S = 0.6
"""A worker's last count is on its way within half a second, and Ray kills workers when the driver ends."""
LONGEST_FLUSH_S = 15.0
"""Where a busy control plane has asked the run's processes to gather for longer."""


def main(settings: RunSettings | None, *, path: list[str], loaded: Iterable[str]) -> NoReturn:
    """Run the attempt that the environment names, and exit as plain Python would.

    Args:
        settings: None where the environment names no run.
        path: the ``sys.path`` that plain Python would have here, without its first entry.
        loaded: the modules that plain Python would have loaded by now.
    """
    if settings is None:
        raise SystemExit(
            "daftray: this is no run: DAFTRAY_RUN_ID, DAFTRAY_ATTEMPT, DAFTRAY_REPORT_URL and "
            "DAFTRAY_RUN_TOKEN must be set. The control plane sets them when it submits a run."
        )
    try:
        control = ControlPlane(settings)
        answer = _start(control, settings)
        program = entrypoint.Program(
            answer["entrypoint"],
            path=path,
            loaded=loaded,
            secrets=answer["secrets"],
            fetch=control.connections,
        )
    except (ControlPlaneError, ValueError) as error:
        say(f"this run cannot start: {error}")
        raise SystemExit(NEVER_STARTED) from None
    os.environ.update(answer["secrets"])
    workers.mark(
        os.environ, has_secrets=bool(answer["secrets"]), import_from=program.import_from, alias=program.alias
    )
    last_word = _LastWord(control, settings)
    last_word.reporter = process.start(DRIVER, settings, path=path)
    atexit.register(last_word.say)
    end = program.run()
    if os.getpid() != last_word.pid:
        # A child that the user's code forked has come to the end of that code: it is not the run.
        raise SystemExit(end.exit_code)
    ended_at = time.monotonic()
    end = deliver(end, control, attempt=settings.attempt, imports=program.imports)
    _wait_for_workers(ended_at, last_word.reporter)
    last_word.end = end
    raise SystemExit(end.exit_code)


def _start(control: ControlPlane, settings: RunSettings) -> dict[str, Any]:  # Any: JSON
    identity = Identity()
    report: dict[str, object] = {
        "attempt": settings.attempt,
        "pid": identity.pid,
        "host": identity.host,
        "python_version": sys.version.partition(" ")[0],
        "at": _now(),
    }

    def waiting(reason: str) -> None:
        say(f"{reason}; trying for {START_TIMEOUT_S:.0f} s")

    answer = json_object(control.started(report, give_up_after_s=START_TIMEOUT_S, waiting=waiting))
    parts = [json_object((answer or {}).get(name)) for name in ("entrypoint", "secrets")]
    if answer is None or None in parts:
        raise ControlPlaneError(f"{control.address} did not answer as a control plane of daftray does")
    return answer


def _wait_for_workers(ended_at: float, reporter: Reporter) -> None:
    ray = sys.modules.get("ray")
    try:
        has_workers = ray is not None and ray.is_initialized()
    except Exception:  # whatever `ray` is in this program
        return
    if has_workers:
        began_at = time.monotonic()
        wait_s = WORKERS_FLUSH_S + min(reporter.asked_s(), LONGEST_FLUSH_S) - FLUSH_INTERVAL_S
        # The workers' reports take no less time than this one took.
        now = time.monotonic()
        time.sleep(max(ended_at + wait_s + 2 * (now - began_at) - now, 0.0))


class _LastWord:
    """Reports ``finished`` when everything else of the process has ended."""

    def __init__(self, control: ControlPlane, settings: RunSettings) -> None:
        self._control = control
        self._settings = settings
        self.pid = os.getpid()
        self.end: ending.Ending | None = None
        self.reporter: Reporter | None = None

    def say(self) -> None:
        """Send the last counts and the report, then end as the user's code did."""
        delivered = self.reporter is None or self.reporter.flush()
        # A forked child runs its parent's handlers too; and without an ending the runner itself failed,
        # which the exit code tells.
        end = self.end if os.getpid() == self.pid else None
        reported = end is not None and self._report(end)
        if self.reporter is not None:
            if reported and not delivered:
                # Whoever took the report after all, a server that was started anew, takes the counts as well.
                # Where it went away again the next one does: the run goes on for as long as this process.
                self.reporter.flush(COUNTS_TIMEOUT_S)
            self.reporter.end()
        if end is not None and end.interrupted:
            # As Python does: so that whoever waits sees the signal and not a code.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)

    def _report(self, end: ending.Ending) -> bool:
        """Report the ending; return whether that was heard."""
        report: dict[str, object] = {
            "attempt": self._settings.attempt,
            "outcome": end.outcome,
            "exit_code": end.exit_code,
            "detail": end.detail,
            "exception": end.exception,
            "problem": end.problem,
            "at": _now(),
        }
        try:
            self._control.finished(report, give_up_after_s=FINISH_TIMEOUT_S)
        except ControlPlaneError as error:
            say(f"the end of this run could not be reported: {error}")
            return False
        return True


def _now() -> str:
    seconds, rest = divmod(time.time_ns(), 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest // 1000:06d}Z"
