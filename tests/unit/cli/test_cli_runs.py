"""``daftray runs``: what is asked of the server, and what is printed."""

from __future__ import annotations

import json

import msgspec
import pytest
from factories import NOW, a_problem, a_run, an_event, at
from msgspec.structs import replace
from shell import Shell
from small_api import SmallApi
from small_server import Answer, Asked, as_events, as_json, as_problem

from daftray.domain.metrics import CpuSeconds, CustomCounter, RunMetrics, UsageLine, UsageSummary
from daftray.domain.result import Column, RunResult
from daftray.domain.series import Sample, Series
from daftray.domain.status import RunPhase, RunStatus

P = ("--project", "scoring")


def test_runs_are_listed_in_plain_columns(shell: Shell, api: SmallApi) -> None:
    usage = UsageSummary(tokens_in=1000, tokens_out=234)
    runs = [
        replace(api.ended, commit="a" * 40, name="nightly\tjob", usage=usage),
        a_run(id="run_2", status=RunStatus.PENDING, created_at=at(60)),
    ]
    api.server.on(f"GET {api.runs}", as_json({"runs": runs, "next_cursor": "run_2"}))

    assert shell.run("runs", "list", *P, "--status", "failed", "--label", "a=b", "--q", "x", "-n", "2") == 0

    assert shell.out.split()[:4] == ["RUN", "STATUS", "ENTRYPOINT", "CREATED"]
    assert "run_1  succeeded  main.py" in shell.out
    assert "nightly job" in shell.out
    assert "2026-11-01 12:00:00Z  3        nightly job  aaaaaaaaaa  1,234" in shell.out
    assert "1,234" in shell.out
    assert "run_2  pending" in shell.out
    assert "--all" in shell.err
    (asked,) = api.server.requests(f"GET {api.runs}")
    assert asked.query == {"status": "failed", "label": "a=b", "q": "x", "limit": "2"}


def test_all_runs_are_listed_page_by_page(shell: Shell, api: SmallApi) -> None:
    def pages(asked: Asked) -> Answer:
        following = None if "cursor" in asked.query else "next"
        return as_json({"runs": [api.ended], "next_cursor": following})

    api.server.on(f"GET {api.runs}", pages)

    assert shell.run("runs", "list", *P, "--all", "--json") == 0
    assert [run["id"] for run in shell.json["runs"]] == ["run_1", "run_1"]
    assert shell.json["next_cursor"] is None


@pytest.mark.usefixtures("api")
def test_a_run_is_shown_with_what_is_known(shell: Shell) -> None:
    assert shell.run("runs", "get", "run_1", *P) == 0

    facts = dict(line.split("  ", 1) for line in shell.out.splitlines())
    assert facts["status"].strip() == "succeeded"
    assert facts["phases"].strip() == "pinning 0.2 s, running 3.0 s"
    assert "waiting for" not in facts
    assert shell.run("runs", "get", "run_1", *P, "--json") == 0
    assert shell.json["timings"] == {"pinning": 0.25, "running": 3.0}


@pytest.mark.usefixtures("api")
def test_an_unknown_run_is_one_clear_line(shell: Shell) -> None:
    assert shell.run("runs", "get", "run_9", *P) == 1
    assert shell.err.startswith("error[not-found]: ")
    assert len(shell.err.splitlines()) == 1
    assert shell.out == ""


def test_a_log_is_printed_byte_by_byte(shell: Shell, api: SmallApi) -> None:
    log = b"a\r\x1b[31m\xff\n" * 3

    def ranges(asked: Asked) -> Answer:
        first, last = map(int, asked.headers["range"].removeprefix("bytes=").split("-"))
        return Answer(log[first : last + 1], status=206, kind="text/plain")

    api.server.on(f"GET {api.run}/logs", ranges)
    shell.run("runs", "logs", "run_1", *P)
    assert shell.out_bytes == log
    shell.run("runs", "logs", "run_1", *P, "--range", "2-4")
    assert shell.out_bytes == log[2:5]


def test_the_end_of_a_log_is_printed(shell: Shell, api: SmallApi) -> None:
    api.server.on(f"GET {api.run}/logs", lambda asked: Answer(f"last {asked.query['tail']}\n".encode()))

    shell.run("runs", "logs", "run_1", *P, "--tail", "7")
    assert shell.out == "last 7\n"


def test_a_log_is_searched(shell: Shell, api: SmallApi) -> None:
    found = {"matches": [{"line": 7, "offset": 99, "message": "Traceback\x07"}], "more": True}
    api.server.on(f"GET {api.run}/logs", as_json(found))

    shell.run("runs", "logs", "run_1", *P, "--q", "Trace", "--attempt", "2")
    assert shell.out == "7: Traceback\\x07\n"
    assert "more matches" in shell.err
    (asked,) = api.server.requests(f"GET {api.run}/logs")
    assert asked.query == {"q": "Trace", "attempt": "2"}
    shell.run("runs", "logs", "run_1", *P, "--q", "Trace", "--json")
    assert shell.json == found


@pytest.mark.usefixtures("api")
def test_a_log_is_followed(shell: Shell) -> None:
    assert shell.run("runs", "logs", "run_1", *P, "--follow") == 0
    assert (shell.out, shell.err) == ("hello\nworld\n", "")


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("words", [["--tail", "3", "--q", "x"], ["--range", "3"], ["-f", "--range", "0-1"]])
def test_contradictions_are_refused(shell: Shell, words: list[str]) -> None:
    assert shell.run("runs", "logs", "run_1", *P, *words) == 2
    assert shell.err.startswith("error[invalid-input]: ")


def test_an_ended_run_is_followed_as_run_does(shell: Shell, api: SmallApi) -> None:
    api.ended = replace(api.ended, status=RunStatus.FAILED, exit_code=4)

    assert shell.run("runs", "follow", "run_1", *P) == 4
    assert shell.out == "hello\nworld\n"


def test_runs_are_cancelled(shell: Shell, api: SmallApi) -> None:
    running = replace(api.ended, status=RunStatus.RUNNING, phase=RunPhase.RUNNING, completed_at=None)
    api.server.on(f"POST {api.run}/cancel", as_json({"run": running}))

    assert shell.run("runs", "cancel", "run_1", "run_1", *P) == 0
    assert shell.err == "run run_1 is being cancelled\n" * 2
    assert len(api.server.requests(f"POST {api.run}/cancel")) == 2


def test_a_run_that_has_ended_says_so_when_cancelled(shell: Shell, api: SmallApi) -> None:
    assert shell.run("runs", "cancel", api.ended.id, *P) == 0
    assert "run run_1 succeeded" in shell.err


def test_a_run_runs_again(shell: Shell, api: SmallApi) -> None:
    assert shell.run("runs", "rerun", "run_1", *P, "--detach", "--name", "again") == 0
    assert shell.out == "run_1\n"
    (asked,) = api.server.requests(f"POST {api.run}/rerun")
    assert asked.json == {"name": "again"}

    assert shell.run("runs", "rerun", "run_1", *P) == 0
    assert shell.out == "hello\nworld\n"


def test_a_table_is_shown_and_written(shell: Shell, api: SmallApi, environ: dict[str, str]) -> None:
    columns = [Column(name="a", type="Int64")]
    table = RunResult(kind="table", columns=columns, rows=1, preview=[{"a": 1}], data=True, size=4)
    api.server.on(f"GET {api.run}/results/preview", as_json(table))
    api.server.on(f"GET {api.run}/results/download", Answer(b"PAR1", kind="application/octet-stream"))
    out = f"{environ['HOME']}/t.parquet"

    assert shell.run("runs", "result", "run_1", *P) == 0
    assert shell.out == "a\n1\n(1 rows)\n"
    assert shell.run("runs", "result", "run_1", *P, "--out", out) == 0
    with open(out, "rb") as file:  # noqa: PTH123 (a text path is what the command got)
        assert file.read() == b"PAR1"
    assert shell.run("runs", "result", "run_1", *P, "--out", f"{environ['HOME']}/no/t") == 2


def test_a_json_result_is_shown_and_written(shell: Shell, api: SmallApi, environ: dict[str, str]) -> None:
    value = {"rows": [1, 2], "big": 2**53 + 1}
    api.server.on(f"GET {api.run}/results/preview", as_json({"kind": "json", "value": value}))
    api.server.on(f"GET {api.run}/results", as_json(value))
    out = f"{environ['HOME']}/r.json"

    shell.run("runs", "result", "run_1", *P)
    assert json.loads(shell.out) == value
    shell.run("runs", "result", "run_1", *P, "--json")
    assert shell.json == value
    shell.run("runs", "result", "run_1", *P, "--out", out)
    with open(out, "rb") as file:  # noqa: PTH123 (a text path is what the command got)
        assert json.load(file) == value


@pytest.mark.usefixtures("api")
def test_a_run_without_a_result_says_so(shell: Shell) -> None:
    assert shell.run("runs", "result", "run_1", *P) == 1
    assert shell.err == "error[result-not-found]: no result\n"


def test_problems_are_shown(shell: Shell, api: SmallApi) -> None:
    api.server.on(f"GET {api.run}/problems", as_json({"problems": [a_problem(udf="embed", count=3)]}))

    shell.run("runs", "problems", "run_1", *P)
    assert shell.out.startswith("ValueError: no in UDF embed (3 times)\n  main.py:3 in main\n")
    shell.run("runs", "problems", "run_1", *P, "--json")
    assert shell.json["problems"][0]["count"] == 3


def test_metrics_are_shown_and_unknown_is_not_zero(shell: Shell, api: SmallApi) -> None:
    metrics = RunMetrics(
        cpu_seconds=CpuSeconds(allocated=12.5, source="used", partial=True),
        requests=0,
        tokens_in=1234567,
        by_model=(UsageLine(name="m", provider="openai", requests=2),),
        custom=(CustomCounter(name="rows", attributes={"kind": "good"}, value=5),),
    )
    api.server.on(f"GET {api.run}/metrics", as_json(metrics))

    shell.run("runs", "metrics", "run_1", *P)
    assert "requests      0\ntokens in     1,234,567\ntokens out    -\n" in shell.out
    assert "CPU seconds   12.5 (used, partial)" in shell.out
    assert "m (openai)  2         -" in shell.out
    assert "rows     kind=good   5" in shell.out


def test_metrics_are_followed_to_the_runs_end(shell: Shell, api: SmallApi) -> None:
    changes = [RunMetrics(requests=n, series=Series(samples=(Sample(at=NOW, requests=n),))) for n in (1, 2)]
    events = [f"event: metrics\ndata: {msgspec.json.encode(change).decode()}\n\n" for change in changes]
    text = ": still here\n\n" + "".join(events) + 'event: end\ndata: {"status": "succeeded"}\n\n'
    api.server.on(f"GET {api.run}/metrics/tail", as_events(text))

    assert shell.run("runs", "metrics", "run_1", *P, "--follow") == 0
    assert [line.split("  ")[0] for line in shell.out.splitlines()] == ["requests 1", "requests 2"]
    shell.run("runs", "metrics", "run_1", *P, "--follow", "--json")
    assert [msgspec.json.decode(line, type=RunMetrics) for line in shell.out.splitlines()] == changes
    assert shell.run("runs", "metrics", "run_1", *P, "--follow", "--price-version", "1") != 0


def test_the_history_is_shown(shell: Shell, api: SmallApi) -> None:
    api.server.on(f"GET {api.run}/events", as_json({"events": [an_event(detail="created\nnow")]}))

    shell.run("runs", "events", "run_1", *P)
    assert "2026-11-01 12:00:00Z  1        pinning  pending  pending  -       created now" in shell.out


@pytest.mark.usefixtures("api")
def test_the_only_project_need_not_be_named(shell: Shell) -> None:
    assert shell.run("runs", "get", "run_1") == 0


def test_one_of_several_projects_has_to_be_named(shell: Shell, api: SmallApi) -> None:
    others = [replace(api.project, id="1", name="a"), replace(api.project, id="2", name="b")]
    api.server.on("GET /v1/workspaces/default/projects", as_json({"projects": others}))

    assert shell.run("runs", "get", "run_1") == 2
    assert shell.err == (
        "error[not-configured]: Which project? Name it with --project or DAFTRAY_PROJECT: a, b.\n"
    )


def test_a_server_error_is_one_clear_line(shell: Shell, api: SmallApi) -> None:
    api.server.on(f"GET {api.run}", as_problem("internal", 500, "Something went wrong inside daftray."))

    assert shell.run("runs", "get", "run_1", *P) == 1
    assert shell.err == "error[internal]: Something went wrong inside daftray.\n"
