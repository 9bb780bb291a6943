"""What is shown of a run that is tried more than once: in lists, by itself, and while it is followed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from factories import a_run, at
from msgspec.structs import replace
from shell import Shell
from small_api import SmallApi
from small_server import Answer, Asked, as_events, as_json

from daftray.cli.phases import Phases
from daftray.domain.run import Attempt, Run
from daftray.domain.spec import Retries
from daftray.domain.status import FailureReason, RunPhase, RunStatus

P = ("--project", "scoring")
FIRST = Attempt(
    number=1,
    submission_id="run_1-1",
    status=RunStatus.FAILED,
    reason=FailureReason.KILLED,
    reason_detail="the driver got SIGKILL",
    exit_code=-9,
    started_at=at(1),
    ended_at=at(3.5),
    last_lines=("half way", "\x1b[31mred"),
)
WAITS = a_run(
    id="run_1",
    attempt=2,
    attempts=(FIRST,),
    phase=RunPhase.QUEUED,
    waiting_for="its next attempt, which may start at 2026-11-01 12:01:00 UTC",
    not_before=at(60),
    retries=Retries(max=3),
    priority=7,
    timeout_s=5400,
    queue_timeout_s=86400,
)
SECOND = Attempt(
    number=2,
    submission_id="run_1-2",
    status=RunStatus.SUCCEEDED,
    exit_code=0,
    started_at=at(61),
    ended_at=at(71),
)
ENDED = replace(
    WAITS,
    attempts=(FIRST, SECOND),
    status=RunStatus.SUCCEEDED,
    phase=RunPhase.DONE,
    waiting_for=None,
    not_before=None,
    started_at=at(61),
    completed_at=at(71),
    timings={"pinning": 1.0, "queued": 50.0, "running": 12.5},
)


def shown(shell: Shell, api: SmallApi, run: Run) -> tuple[dict[str, str], list[str]]:
    """Return what ``runs get`` prints: the facts by name, and the lines after them."""
    api.server.on(f"GET {api.run}", as_json(run))
    assert shell.run("runs", "get", "run_1", *P) == 0
    facts, _, rest = shell.out.partition("\n\n")
    named = dict(line.split("  ", 1) for line in facts.splitlines())
    return {name: value.strip() for name, value in named.items()}, rest.splitlines()


def test_a_run_that_waits_for_its_next_attempt_says_so_and_how_the_last_one_ended(
    shell: Shell, api: SmallApi
) -> None:
    facts, rest = shown(shell, api, WAITS)

    assert facts["waiting for"].startswith("its next attempt")
    assert (facts["attempt"], facts["next attempt"]) == ("2", "2026-11-01 12:01:00Z")
    assert facts["retries"] == "at most 3, after the platform's reasons; the first after 10s"
    assert (facts["priority"], facts["timeouts"]) == ("7", "queue 1d, run 1h30m")
    assert rest[0].split() == ["ATTEMPT", "STATUS", "REASON", "EXIT", "SECONDS", "ENDED", "DETAIL"]
    assert rest[1].split("  ")[0] == "1"
    assert "failed  killed  -9    2.5      2026-11-01 12:00:03Z  the driver got SIGKILL" in rest[1]
    assert rest[2:] == ["", "Last lines of attempt 1:", "  half way", "  \\x1b[31mred"]


def test_a_run_that_succeeded_shows_its_attempts_and_no_lines_of_a_failed_one(
    shell: Shell, api: SmallApi
) -> None:
    facts, rest = shown(shell, api, ENDED)

    assert "next attempt" not in facts
    assert [line.split()[:2] for line in rest[1:]] == [["1", "failed"], ["2", "succeeded"]]


def test_the_lines_are_those_of_the_last_attempt_that_failed(shell: Shell, api: SmallApi) -> None:
    last = replace(FIRST, number=2, last_lines=("worse",), log_removed_at=at(90))
    _, rest = shown(shell, api, replace(ENDED, attempts=(FIRST, last), status=RunStatus.FAILED))

    at_last = rest.index("Last lines of attempt 2:")
    assert rest[at_last + 1 :] == ["  worse", "(The rest of its log was removed at 2026-11-01 12:01:30Z.)"]


def test_retries_after_named_reasons_are_shown(shell: Shell, api: SmallApi) -> None:
    on = (FailureReason.USER_ERROR, FailureReason.KILLED)
    facts, _ = shown(shell, api, replace(WAITS, retries=Retries(max=1, on=on, backoff=90)))
    assert facts["retries"] == "at most 1, after user_error, killed; the first after 1m30s"


def test_a_run_that_never_got_an_attempt_shows_none(shell: Shell, api: SmallApi) -> None:
    facts, rest = shown(shell, api, a_run(id="run_1"))

    assert rest == []
    assert not {"attempt", "next attempt", "priority", "retries", "timeouts"} & set(facts)


def test_a_list_shows_how_often_a_run_was_tried(shell: Shell, api: SmallApi) -> None:
    api.server.on(f"GET {api.runs}", as_json({"runs": [ENDED, api.ended], "next_cursor": None}))

    shell.run("runs", "list", *P)

    _, tried, once = shell.out.splitlines()
    assert "succeeded (2 attempts)  main.py" in tried
    assert "attempt" not in once


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().err.splitlines()]


def test_each_attempts_phases_are_told_with_their_own_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    phases = Phases()
    first = {"pinning": 1.0, "queued": 2.0, "running": 4.0}

    phases.show(a_run(phase=RunPhase.HARVESTING, timings=first))
    waits = replace(WAITS, waiting_for=None, timings={**first, "harvesting": 0.5})
    phases.show(waits)
    phases.show(waits)
    phases.show(replace(waits, phase=RunPhase.STARTING, timings={**waits.timings, "queued": 32.0}))
    phases.show(
        replace(waits, phase=RunPhase.DONE, timings={**waits.timings, "queued": 32.0, "running": 9.0})
    )

    assert told(capsys) == [
        "pinning 1.0 s",
        "queued 2.0 s",
        "running 4.0 s",
        "harvesting 0.5 s",
        "attempt 1 failed: killed (exit code -9): the driver got SIGKILL",
        "queued …",
        "queued 30.0 s",
        "running 5.0 s",
    ]


def test_who_comes_later_is_told_of_the_attempts_before(capsys: pytest.CaptureFixture[str]) -> None:
    Phases().show(ENDED)

    assert told(capsys) == [
        "pinning 1.0 s",
        "queued 50.0 s",
        "running 12.5 s",
        "attempt 1 failed: killed (exit code -9): the driver got SIGKILL",
    ]


def test_a_run_is_followed_through_its_attempts(shell: Shell, api: SmallApi) -> None:
    seen: list[int] = []

    def tail(asked: Asked) -> Answer:
        number = int(asked.query["attempt"])
        seen.append(number)
        data = json.dumps({"timestamp": "2030-01-31T10:30:01Z", "message": f"of attempt {number}"})
        ends = "failed" if number == 1 else "succeeded"
        return as_events(f'id: 13\ndata: {data}\n\nevent: end\ndata: {{"status": "{ends}"}}\n\n')

    def run(_: Asked) -> Answer:
        return as_json(ENDED if seen else replace(WAITS, attempt=1, attempts=(), phase=RunPhase.STARTING))

    api.server.on(f"GET {api.run}/logs/tail", tail)
    api.server.on(f"GET {api.run}", run)

    assert shell.run("runs", "follow", "run_1", *P) == 0
    assert shell.out == "of attempt 1\nof attempt 2\n"
    assert "attempt 1 failed: killed" in shell.err
    assert "run run_1 succeeded in attempt 2 after 10.0 s" in shell.err


def test_the_exception_that_is_told_is_the_last_attempts(shell: Shell, api: SmallApi) -> None:
    asked: list[Any] = []

    def problems(request: Asked) -> Answer:
        asked.append(request.query)
        return as_json({"problems": []})

    failed = replace(ENDED, status=RunStatus.FAILED, reason=FailureReason.NODE_LOST)
    api.server.on(f"GET {api.run}", as_json(failed))
    api.server.on(f"GET {api.run}/problems", problems)

    assert shell.run("runs", "follow", "run_1", *P) == 1
    assert asked == [{"attempt": "2"}]


def test_an_earlier_attempts_log_is_followed_from_there(shell: Shell, api: SmallApi) -> None:
    assert shell.run("runs", "logs", "run_1", *P, "--follow", "--attempt", "1") == 0
    (request,) = api.server.requests(f"GET {api.run}/logs/tail")
    assert request.query["attempt"] == "1"
