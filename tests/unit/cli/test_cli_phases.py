"""What is shown of a run's phases while it is followed."""

from __future__ import annotations

import pytest
from factories import a_run
from shell import Shell
from small_api import SmallApi
from small_server import as_events

from daftray.cli.phases import Phases
from daftray.domain.run import Run
from daftray.domain.status import RunPhase


class Spinner:
    """What rich draws, as a list of words."""

    def __init__(self) -> None:
        self.drawn: list[str] = []

    def start(self) -> None:
        self.drawn.append("start")

    def stop(self) -> None:
        self.drawn.append("stop")

    def update(self, status: str) -> None:
        self.drawn.append(status)


def in_phase(phase: RunPhase, waiting_for: str | None = None, **timings: float) -> Run:
    return a_run(phase=phase, waiting_for=waiting_for, timings=timings)


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_each_phase_is_told_once_with_its_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    phases = Phases()

    phases.show(in_phase(RunPhase.QUEUED, pinning=0.25))
    phases.show(in_phase(RunPhase.PREPARING, pinning=0.25, queued=12.0))
    phases.show(in_phase(RunPhase.DONE, pinning=0.25, queued=12.0, preparing=1.0, running=100.04))

    assert told(capsys) == [
        "pinning         0.2 s",
        "queued         12.0 s",
        "preparing       1.0 s",
        "running       100.0 s",
    ]


def test_what_a_run_waits_for_is_told_when_it_changes(capsys: pytest.CaptureFixture[str]) -> None:
    phases = Phases()

    for waiting_for in ("a place; before it: 2", "a place; before it: 2", "a place; before it: 1", None):
        phases.show(in_phase(RunPhase.QUEUED, waiting_for))

    assert told(capsys) == [
        "queued, waiting: a place; before it: 2",
        "queued, waiting: a place; before it: 1",
    ]


def test_a_phase_that_takes_long_is_named_meanwhile(capsys: pytest.CaptureFixture[str]) -> None:
    phases = Phases()

    for phase in (RunPhase.PINNING, RunPhase.INSTALLING, RunPhase.INSTALLING, RunPhase.INSTALLING):
        phases.show(in_phase(phase))
    for _ in range(3):
        phases.show(in_phase(RunPhase.RUNNING))

    assert told(capsys) == ["installing …"]


def test_the_spinner_turns_until_lines_come() -> None:
    spinner = Spinner()
    phases = Phases(spinner)

    phases.show(in_phase(RunPhase.INSTALLING))
    phases.show(in_phase(RunPhase.RUNNING))
    phases.make_way()

    assert spinner.drawn == ["installing", "start", "stop"]


@pytest.mark.usefixtures("capsys")
def test_the_spinner_stands_still_while_a_line_is_printed() -> None:
    spinner = Spinner()

    Phases(spinner).show(in_phase(RunPhase.QUEUED, pinning=1.0))

    assert spinner.drawn == ["stop", "queued", "start"]


def test_a_server_that_is_lost_leaves_word_how_to_go_on(
    shell: Shell, api: SmallApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daftray.client._sync.follow.pause", lambda _: None)
    api.server.on(f"GET {api.run}/logs/tail", as_events('id: 6\ndata: {"timestamp": '))

    assert shell.run("runs", "follow", "run_1", "--project", "scoring") == 1
    assert "To follow it again: daftray runs follow run_1" in shell.err
    assert "error[server-unreachable]: " in shell.err
