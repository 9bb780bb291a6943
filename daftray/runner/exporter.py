"""Sends a process's counters and problems: soon after the first, then each half second, and at its end.

The thread is a daemon and exists only in processes that count something or report their CPU. Counts
are cumulative, so a report that fails, repeats or comes late changes nothing: the next one says it all.
"""

from __future__ import annotations

import sys
import threading
import time

from daftray.runner import names
from daftray.runner.cpu import CpuTime
from daftray.runner.say import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from daftray.runner.control import ControlPlane
    from daftray.runner.counters import Counters
    from daftray.runner.identity import Identity
    from daftray.runner.outbox import Outbox
    from daftray.runner.ray_metrics import RayMetrics
    from daftray.runner.settings import RunSettings

    Series = tuple[str, tuple[tuple[str, str], ...]]

FLUSH_INTERVAL_S = 0.5
FIRST_FLUSH_S = 0.05
"""How long the first count after a quiet time waits for company."""
CPU_INTERVAL_S = 0.5
"""Ray kills workers when their job ends: in the time that the driver gives them, each has told its CPU."""
CPU_STEP_S = 0.02
"""CPU time below this is not worth a report of its own: an idle process stays silent."""
HEARTBEAT_S = 15.0
"""But not for longer: while Ray tells nothing either, a run of which nothing is heard counts as lost."""
SEND_TIMEOUT_S = 5.0
EXIT_TIMEOUT_S = 2.0
LONGEST_PAUSE_S = 30.0
FORK_WAIT_S = 0.1
"""How long a fork waits for a report that is on its way."""


class Exporter:
    """Reports the counters of one process. ``reports_cpu`` is for the top process of a tree only."""

    def __init__(
        self, settings: RunSettings, counters: Counters, identity: Identity, *, reports_cpu: bool
    ) -> None:
        self._settings = settings
        self._counters = counters
        self._identity = identity
        self._reports_cpu = reports_cpu
        self.outbox: Outbox | None = None
        """What sends the problems, once there are any."""
        self._control: ControlPlane | None = None
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._starting = threading.RLock()
        self._sending = threading.Lock()
        self._thread: threading.Thread | None = None
        self._known: dict[Series, float] = {}
        self._cpu_time = CpuTime()
        self._ray_metrics: RayMetrics | None = None
        self._failures = 0
        self._last_error: Exception | None = None
        self._refused = False
        self._closed = False
        self._delivered = True
        self._told = False
        self._heard_at = time.monotonic()
        self._wait_s = FLUSH_INTERVAL_S

    def wake(self) -> None:
        """Something was counted: send it soon. Cheap, and safe at any time."""
        self._wake.set()
        if self._thread is None:
            self.start()

    def start(self) -> None:
        """Start the thread, once. At the interpreter's end none can start: the last flush does then."""
        with self._starting:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name="daftray-exporter", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            return
        _flush_at_multiprocessing_exit(self)

    def pause(self) -> None:
        """Let go of the thread ahead of a fork: Python warns of forks of processes that have threads."""
        if self._thread is not None:
            self._stop.set()
            self._wake.set()
            self._thread.join(FORK_WAIT_S)

    def resume(self) -> None:
        """Go on in the process that forked."""
        self._stop.clear()
        if self._thread is not None and not self._thread.is_alive():
            self._thread = None
            self.start()

    def _run(self) -> None:
        sent_at = 0.0
        while not (self._refused or self._closed):
            woken = self._wake.wait(CPU_INTERVAL_S if self._reports_cpu else None)
            pause_s = max(sent_at + self._wait_s - time.monotonic(), FIRST_FLUSH_S if woken else 0.0)
            if self._stop.wait(max(pause_s, 0.0)):
                return
            self._wake.clear()
            self._flush(SEND_TIMEOUT_S)
            sent_at = time.monotonic()

    def close(self) -> None:
        """Send what is left, and nothing after that."""
        self.flush()
        self.end()

    def flush(self, give_up_after_s: float = 0.0) -> bool:
        """Send what is left, at the process's end, once at least; return whether it was delivered."""
        deadline = time.monotonic() + give_up_after_s
        while True:
            self._delivered = self._flush(EXIT_TIMEOUT_S, last=True)
            if self._delivered or self._refused or time.monotonic() >= deadline:
                return self._delivered
            time.sleep(FLUSH_INTERVAL_S)

    def flush_now(self) -> None:
        """Send what is left, unless that failed before, or processes are asked to gather for longer."""
        if not self._failures and self._wait_s <= FLUSH_INTERVAL_S:
            self._flush(EXIT_TIMEOUT_S)

    def asked_s(self) -> float:
        """Ask how long processes are to gather between two reports, by reporting once more."""
        self._flush(EXIT_TIMEOUT_S)
        return self._wait_s

    def end(self) -> None:
        """Send no more; tell once if the reports could not be delivered."""
        self._closed = True
        if not self._delivered:
            self._tell()

    def _flush(self, timeout_s: float, *, last: bool = False) -> bool:
        """Send what is new; return whether nothing is left to send."""
        # The thread may hang in a dead connection while the process ends: the last flush waits, not forever.
        if self._refused or not self._sending.acquire(timeout=timeout_s):
            return False
        try:
            if not self._closed:
                self._send(timeout_s, last=last)
        except Exception as error:
            self._failed(error)
            return False
        finally:
            self._sending.release()
        return True

    def _send(self, timeout_s: float, *, last: bool) -> None:
        asked_s = self._send_counts(timeout_s, last=last)
        if self.outbox is not None:
            resource = self._identity.resource(self._settings)
            asked_s = self.outbox.send(self._control_plane, resource, timeout_s) or asked_s
        if asked_s is not None:
            self._failures = 0
            self._wait_s = max(FLUSH_INTERVAL_S, min(asked_s, LONGEST_PAUSE_S))

    def _send_counts(self, timeout_s: float, *, last: bool) -> float | None:
        """Send what has changed; return how long the server asks to wait, None where nothing was sent."""
        values = self._counters.read()
        changed = {key: value for key, value in values.items() if self._known.get(key) != value}
        if self._reports_cpu and changed and not last and "ray" in sys.modules:
            self._show_in_ray(values)
        if self._reports_cpu:
            # However little it does, a process says now and then that it is alive.
            quiet_s = time.monotonic() - self._heard_at
            changed.update(self._cpu(0.0 if changed or quiet_s >= HEARTBEAT_S else CPU_STEP_S, last=last))
        if not changed:
            return None
        from daftray.runner import otlp  # it takes JSON along, which a process's start has no time for

        body = otlp.encode(
            changed,
            resource=self._identity.resource(self._settings),
            start_ns=self._identity.start_ns,
            now_ns=time.time_ns(),
        )
        asked_s = self._control_plane().metrics(body, timeout_s=timeout_s)
        self._known.update(changed)
        self._heard_at = time.monotonic()
        return asked_s or 0.0

    def _show_in_ray(self, values: dict[Series, float]) -> None:
        if self._ray_metrics is None:
            from daftray.runner.ray_metrics import RayMetrics

            self._ray_metrics = RayMetrics(self._settings.run_id)
        self._ray_metrics.show(values)

    def _cpu(self, step_s: float, *, last: bool) -> dict[Series, float]:
        modes = ("user", "system")
        readings = {
            (names.CPU_TIME, ((names.CPU_MODE, mode),)): value
            for mode, value in zip(modes, self._cpu_time.read(look=last), strict=True)
        }
        grown = {key: value for key, value in readings.items() if value > self._known.get(key, 0.0)}
        new_s = sum(value - self._known.get(key, 0.0) for key, value in grown.items())
        return grown if last or new_s >= step_s else {}

    def _control_plane(self) -> ControlPlane:
        if self._control is None:
            from daftray.runner.control import ControlPlane

            self._control = ControlPlane(self._settings)
        return self._control

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self._last_error = error
        self._wait_s = min(FLUSH_INTERVAL_S * 2**self._failures, LONGEST_PAUSE_S)
        asked_s = getattr(error, "retry_after_s", None)
        if asked_s is not None:
            self._wait_s = max(self._wait_s, min(asked_s, LONGEST_PAUSE_S))
        if not getattr(error, "retryable", True):
            self._refused = True
            self._tell()
        else:
            self._wake.set()

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            why = self._last_error or "the control plane does not answer"
            say(f"usage of this process is incomplete: {why}")


def _flush_at_multiprocessing_exit(exporter: Exporter) -> None:
    """Flush where ``multiprocessing`` ends a forked child, which skips ``atexit`` (before Python 3.13)."""
    multiprocessing_util = sys.modules.get("multiprocessing.util")
    if (
        multiprocessing_util is not None
        and sys.modules["multiprocessing.process"].parent_process() is not None
    ):
        multiprocessing_util.Finalize(None, exporter.close, exitpriority=0)
