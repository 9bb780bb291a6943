"""Follow a run to its end: phases as they change, the log as it grows, then how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from daftray.cli import screen
from daftray.cli.failures import EXIT_CANCELLED, EXIT_FAILED
from daftray.cli.phases import Phases, PhaseWatch
from daftray.cli.summary import tell_ending
from daftray.domain.errors import DaftrayError
from daftray.domain.run import Run
from daftray.domain.status import RunStatus

if TYPE_CHECKING:
    from daftray.client import Client

_LARGEST_EXIT_CODE = 125
"""Greater ones mean something of their own to a shell: not found, not executable, ended by a signal."""


def go_on_with(client: Client, run: Run, *, follow: bool, as_json: bool) -> None:
    """Follow a new run to its end, which ends the command; or else print its id, or the run as JSON."""
    if follow:
        raise typer.Exit(follow_to_end(client, run.id, as_json=as_json))
    if as_json:
        screen.emit_json(run)
    else:
        screen.emit(run.id)


def follow_to_end(client: Client, run_id: str, *, as_json: bool = False) -> int:
    """Follow a run to its end and return the exit code that tells it.

    With ``as_json`` the log goes to stderr and the run, once it has ended, to stdout.
    """
    follower = _Follower(client, run_id, as_json=as_json)
    try:
        run = _follow_or_cancel(client, run_id, follower)
    except DaftrayError as exc:
        if exc.retryable:
            screen.say(
                f"The run goes on without being followed. To follow it again: daftray runs follow {run_id}"
            )
        raise
    if run is None:
        return EXIT_CANCELLED
    tell_ending(client, run)
    if as_json:
        screen.emit_json(run)
    return exit_code_of(run)


def exit_code_of(run: Run) -> int:
    """Return the exit code that stands for how a run ended."""
    if run.status is RunStatus.SUCCEEDED:
        return 0
    if run.status is RunStatus.CANCELLED:
        return EXIT_CANCELLED
    code = run.exit_code
    return code if code is not None and 1 <= code <= _LARGEST_EXIT_CODE else EXIT_FAILED


def _follow_or_cancel(client: Client, run_id: str, follower: _Follower) -> Run | None:
    """Return the run once it has ended, or nothing where Ctrl-C ended the following of it."""
    try:
        return follower.follow()
    except KeyboardInterrupt:
        if not _cancel_wanted(run_id):
            return None
    client.runs.cancel(run_id)
    screen.say("Cancelling; Ctrl-C again stops following.")
    try:
        return follower.follow()
    except KeyboardInterrupt:
        return None


class _Follower:
    """A run's log, printed from where the last call left off."""

    def __init__(self, client: Client, run_id: str, *, as_json: bool) -> None:
        self._client = client
        self._run_id = run_id
        self._to_stderr = as_json
        self._attempt: int | None = None
        self._offset = 0

    def follow(self) -> Run:
        phases = Phases.for_stderr()
        with PhaseWatch(self._client, self._run_id, phases):
            lines = self._client.runs.follow(self._run_id, from_=self._offset, attempt=self._attempt)
            for line in lines:
                phases.make_way()
                # Before it is printed: Ctrl-C between the two must not print it again.
                self._attempt, self._offset = line.attempt, line.offset
                screen.emit_bytes(f"{line.message}\n".encode(), to_stderr=self._to_stderr)
        run = self._client.runs.wait(self._run_id)
        phases.show(run)
        return run


def _cancel_wanted(run_id: str) -> bool:
    """Say that the run goes on, and ask whether it should not."""
    screen.say(f"\nNo longer following; the run goes on. To cancel it: daftray runs cancel {run_id}")
    if not screen.interactive():
        return False
    try:
        return screen.ask("Cancel it now?")
    except KeyboardInterrupt:
        return False
