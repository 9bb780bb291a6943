"""The phases of a run while it is followed: a spinner on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from daftray.cli import screen
from daftray.cli.summary import why
from daftray.domain.errors import DaftrayError
from daftray.domain.run import Run
from daftray.domain.status import RunPhase

if TYPE_CHECKING:
    from daftray.client import Client

_POLL_S = 1.0
_LONGEST_NAME = max(len(phase.value) for phase in RunPhase)


class _Spinner(Protocol):
    """The part of rich's status that is used."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def update(self, status: str) -> None: ...


class Phases:
    """What has been shown of a run's phases. Two threads use it: the log's and the watch's."""

    def __init__(self, spinner: _Spinner | None = None) -> None:
        self._spinner = spinner
        self._shown: set[str] = set()
        self._before: dict[str, float] = {}
        self._attempt: int | None = None
        self._named: set[RunPhase] = set()
        self._waiting_for: str | None = None
        self._phase: RunPhase | None = None
        self._lock = threading.Lock()

    @classmethod
    def for_stderr(cls) -> Phases:
        """Return phases as they suit what stderr is."""
        if not sys.stderr.isatty():
            return cls()
        from rich.console import Console

        return cls(Console(stderr=True).status("", spinner="dots"))

    def show(self, run: Run) -> None:
        """Print the phases that have ended since the last call, and what the run waits for now."""
        with self._lock:
            self._show_ended(run)
            self._show_attempts(run)
            if run.waiting_for and run.waiting_for != self._waiting_for:
                self._named.add(run.phase)
                self._say(f"{run.phase.value}, waiting: {run.waiting_for}")
            self._waiting_for = run.waiting_for
            self._show_current(run.phase)

    def _show_ended(self, run: Run) -> None:
        """Print the phases that have ended in this attempt. Those of the run count all of its attempts."""
        for phase, seconds in run.timings.items():
            spent = seconds - self._before.get(phase, 0.0)
            if phase not in self._shown and (spent > 0 or phase not in self._before):
                self._shown.add(phase)
                self._say(f"{phase:<{_LONGEST_NAME}} {spent:8.1f} s")

    def _show_attempts(self, run: Run) -> None:
        """Print how attempts ended that were followed by another, and begin with the phases anew."""
        first = self._attempt or 1
        for attempt in run.attempts:
            if first <= attempt.number < run.attempt:
                self._say(f"attempt {attempt.number} {attempt.status.value}{why(attempt)}")
        if self._attempt is not None and run.attempt > self._attempt:
            self._shown.clear()
            self._named.clear()
            self._before = dict(run.timings)
        self._attempt = run.attempt

    def _show_current(self, phase: RunPhase) -> None:
        """Turn the spinner; or, without one, name a phase that was there the last time too: it takes long."""
        if phase in {RunPhase.RUNNING, RunPhase.DONE}:
            return
        if self._spinner:
            self._spinner.update(phase.value)
            self._spinner.start()
        elif phase is self._phase and phase not in self._named:
            self._named.add(phase)
            self._say(f"{phase.value} …")
        self._phase = phase

    def make_way(self) -> None:
        """Take the spinner away: lines of the log come."""
        if self._spinner:
            with self._lock:
                self._spinner.stop()

    def _say(self, text: str) -> None:
        if self._spinner:
            self._spinner.stop()
        screen.say(text)


class PhaseWatch:
    """Looks at a run while its log is followed, and shows its phases."""

    def __init__(self, client: Client, run_id: str, phases: Phases) -> None:
        self._client = client
        self._run_id = run_id
        self._phases = phases
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="phases", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=_POLL_S)
        self._phases.make_way()

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                run = self._client.runs.get(self._run_id)
            except DaftrayError:
                # Following the log says it if this lasts; phases are only shown beside it.
                pass
            else:
                if self._stop.is_set():
                    return
                self._phases.show(run)
                if run.status.terminal:
                    return
            self._stop.wait(_POLL_S)
