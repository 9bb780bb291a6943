"""Options that bound a run or a project: what is typed, and what is sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from shell import Shell
from small_api import PROJECTS, SmallApi
from small_server import as_json

from daftray.domain.durations import read_duration, written
from daftray.domain.errors import InvalidInputError
from daftray.domain.project import GitRemote, Project, ProjectSource

ALL = [
    *("--retries", "3", "--retry-on", "killed, out_of_memory", "--retry-on", "user_error"),
    *("--retry-backoff", "1m", "--timeout", "2h", "--start-timeout", "10m", "--queue-timeout", "1d"),
    *("--priority", "-5", "--budget", "tokens=2_000_000, usd=0.5"),
]
SENT: dict[str, Any] = {
    "retries": {"max": 3, "on": ["killed", "out_of_memory", "user_error"], "backoff": 60},
    "timeout_s": 7200,
    "start_timeout_s": 600,
    "queue_timeout_s": 86400,
    "priority": -5,
    "budget": {"tokens": 2_000_000, "requests": None, "usd": 0.5},
}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("2h", 7200),
        ("1d", 86400),
        ("1h30m", 5400),
        ("1d1s", 86401),
        ("1.5h", 5400),
        ("0.25", 0.25),
        ("45", 45),
        ("0", 0),
    ],
)
def test_spans_of_time_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert read_duration("--timeout", text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "h", "2 h", "-1", "1m2h", "1h1h", "1w", "2H", "1e3", "nan", "inf", "٣", "1h\n", "9" * 99],
)
def test_what_is_no_span_of_time_is_told(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"--timeout .* is no span of time: write 90s") as told:
        read_duration("--timeout", text)
    assert told.value.issues[0].path == "--timeout"


@pytest.mark.parametrize(
    ("seconds", "text"), [(7200, "2h"), (5400.0, "1h30m"), (0.5, "0.5s"), (0, "0s"), (90061, "1d1h1m1s")]
)
def test_spans_of_time_are_written_as_people_write_them(seconds: float, text: str) -> None:
    assert written(seconds) == text


@given(st.integers(0, 30 * 86400))
def test_what_is_written_is_read_again(seconds: int) -> None:
    assert read_duration("", written(seconds)) == seconds


@pytest.mark.usefixtures("tree")
def test_a_run_is_sent_with_its_bounds(shell: Shell, api: SmallApi) -> None:
    assert shell.run("run", "--detach", *ALL, "main.py") == 0
    assert {name: api.submitted[name] for name in SENT} == SENT


@pytest.mark.usefixtures("tree")
def test_a_run_without_bounds_has_none(shell: Shell, api: SmallApi) -> None:
    shell.run("run", "--detach", "main.py")

    body = api.submitted
    assert [body[name] for name in SENT] == [None, None, None, None, 0, None]


@pytest.mark.usefixtures("tree")
def test_retries_alone_mean_the_platforms_reasons(shell: Shell, api: SmallApi) -> None:
    shell.run("run", "--detach", "--retries", "2", "main.py")

    assert api.submitted["retries"] == {"max": 2, "on": None, "backoff": 10}


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--retry-on", "killed"], "--retries: say how often"),
        (["--retry-backoff", "5s"], "--retries: say how often"),
        (["--retries", "1", "--retry-on", "boom"], "'boom' is no reason of a failure: source_not_found, "),
        (["--retries", "1", "--retry-on", "killed,"], "'' is no reason"),
        (["--retries", "1", "--retry-backoff", "soon"], "--retry-backoff 'soon' is no span of time"),
        (["--timeout", "2 hours"], "--timeout '2 hours' is no span of time"),
        (["--start-timeout", "-1"], "--start-timeout '-1' is no span of time"),
        (["--queue-timeout", ""], "--queue-timeout '' is no span of time"),
        (["--retries", "21"], "'--retries': Input should be less than or equal to 20"),
        (["--priority", "101"], "'--priority': Input should be less than or equal to 100"),
        (["--idempotency-key", "ä"], "visible ASCII"),
        (["--budget", "5"], "--budget: '5' is none: write NAME=N"),
        (["--budget", "cents=5"], "of tokens, requests, usd"),
        (["--budget", "usd=1,usd=2"], "'usd=2' is none"),
        (["--budget", "tokens=many"], "--budget: 'tokens=many' cannot be one"),
        (["--budget", "requests=0"], "--budget: 'requests=0' cannot be one"),
    ],
)
def test_what_bounds_nothing_is_refused_before_anything_is_made(
    shell: Shell, api: SmallApi, words: list[str], told: str
) -> None:
    assert shell.run("run", "--detach", *words, "main.py") == 2
    assert told in " ".join(shell.err.split())
    assert not api.server.requests(f"POST {api.runs}")


@pytest.mark.usefixtures("tree", "api")
@pytest.mark.parametrize("option", ["--retries", "--start-timeout=1", "--idempotency-key"])
def test_an_option_behind_the_entrypoint_is_pointed_out(shell: Shell, option: str) -> None:
    assert shell.run("run", "--detach", "main.py", option, "1") == 0
    assert f"note: {option.partition('=')[0]} goes to your program" in shell.err


@pytest.mark.usefixtures("tree")
def test_a_key_makes_a_script_safe_to_start_twice(shell: Shell, api: SmallApi) -> None:
    for _ in range(2):
        shell.run("run", "--detach", "--idempotency-key", "nightly", "main.py")
        shell.run("run", "--detach", "main.py")

    keys = [asked.headers["idempotency-key"] for asked in api.server.requests(f"POST {api.runs}")]
    assert (keys[0], keys[2], len(set(keys))) == ("nightly", "nightly", 3)


def test_a_rerun_changes_what_is_given(shell: Shell, api: SmallApi) -> None:
    words = ["runs", "rerun", "run_1", "--project", "scoring", "--detach"]

    assert shell.run(*words) == shell.run(*words, *ALL, "--idempotency-key", "k") == 0
    assert shell.run(*words, "--retries", "0", "--timeout", "none", "--priority", "0") == 0

    plain, bounded, freed = api.server.requests(f"POST {api.run}/rerun")
    assert (plain.json, bounded.json) == ({}, SENT)
    assert bounded.headers["idempotency-key"] == "k"
    assert freed.json == {"retries": None, "timeout_s": None, "priority": 0}


@pytest.mark.parametrize(("typed", "sent"), [("3", 3), ("none", None)])
def test_a_projects_bound_is_set_and_taken_away(
    shell: Shell, api: SmallApi, typed: str, sent: int | None
) -> None:
    api.server.on(f"PATCH {PROJECTS}/scoring", lambda _: as_json(api.project))

    assert shell.run("projects", "update", "scoring", "--max-running", typed) == 0
    assert shell.run("projects", "create", "new", "git@h:o/r.git", "--max-running", typed) == 0

    (asked,) = api.server.requests(f"PATCH {PROJECTS}/scoring")
    assert asked.json == {"max_running": sent}
    (asked,) = api.server.requests(f"POST {PROJECTS}")
    assert asked.json["max_running"] == sent


@pytest.mark.parametrize("tag", ["git", "github"])
def test_a_project_changes_its_name_and_branch(shell: Shell, api: SmallApi, tag: str) -> None:
    remote = GitRemote(remote="https://git.example/o/r.git", branch="main", credential="KEY")
    api.project = _with_source(api, ProjectSource(**{tag: remote}))
    api.server.on(f"PATCH {PROJECTS}/scoring", lambda _: as_json(api.project))

    assert shell.run("projects", "update", "scoring", "--name", "n", "--branch", "dev", "--json") == 0

    (asked,) = api.server.requests(f"PATCH {PROJECTS}/scoring")
    changed = {"remote": "https://git.example/o/r.git", "branch": "dev", "credential": "KEY"}
    assert asked.json == {"name": "n", "source": {tag: changed}}


def _with_source(api: SmallApi, source: ProjectSource) -> Project:
    return replace(api.project, source=source, max_running=4)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Nothing to change"),
        (["--max-running", "many"], "'many' is no number of runs"),
        (["--max-running", "-1"], "'-1' is no number of runs"),
        (["--max-running", "1.5"], "'1.5' is no number of runs"),
    ],
)
def test_a_project_is_not_changed_by_what_says_nothing(
    shell: Shell, api: SmallApi, words: list[str], told: str
) -> None:
    assert shell.run("projects", "update", "scoring", *words) == 2
    assert told in shell.err
    assert api.server.asked == []


def test_a_projects_bound_is_shown(shell: Shell, api: SmallApi) -> None:
    assert shell.run("projects", "get", "scoring") == 0
    assert "max running" not in shell.out
    api.project = _with_source(api, api.project.source)
    assert shell.run("projects", "get", "scoring") == 0
    assert "max running  4" in shell.out
