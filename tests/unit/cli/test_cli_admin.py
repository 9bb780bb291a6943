"""``daftray admin``."""

from __future__ import annotations

from shell import Shell
from small_api import SmallApi
from small_server import Answer, Asked, SmallServer, as_json, as_problem

GC = "POST /v1/admin/gc"
LOGS = {"what": "logs", "rule": "older than 90 days", "count": 1200, "size": 3_000_000}
KEYS = {"what": "idempotency keys", "rule": "older than 30 days", "count": 2, "size": None}


def test_a_dry_run_tells_what_would_go_and_by_which_rule(shell: Shell, server: SmallServer) -> None:
    server.on(GC, as_json({"dry_run": True, "removed": [LOGS, KEYS], "more": False, "notes": ["Careful."]}))
    assert shell.run("admin", "gc", "--dry-run") == 0
    (asked,) = server.requests(GC)
    assert asked.json == {"dry_run": True}
    assert shell.out.splitlines() == [
        "WHAT              COUNT  BYTES      RULE",
        "logs              1,200  3,000,000  older than 90 days",
        "idempotency keys  2      -          older than 30 days",
    ]
    assert shell.err.splitlines() == ["note: Careful.", "Would go:"]


def test_it_goes_on_until_all_is_removed_and_tells_it_as_one(shell: Shell, server: SmallServer) -> None:
    def answer(_: Asked) -> Answer:
        more = len(server.requests(GC)) < 3
        return as_json({"dry_run": False, "removed": [LOGS] if more else [LOGS, KEYS], "more": more})

    server.on(GC, answer)
    assert shell.run("admin", "gc", "--json") == 0
    assert shell.json == {
        "dry_run": False,
        "removed": [{**LOGS, "count": 3600, "size": 9_000_000}, KEYS],
        "more": False,
        "notes": [],
    }
    assert [asked.json for asked in server.requests(GC)] == [{"dry_run": False}] * 3


def test_it_does_not_wait_for_what_cannot_go_now(shell: Shell, server: SmallServer) -> None:
    server.on(GC, as_json({"dry_run": False, "removed": [], "more": True}))
    assert shell.run("admin", "gc") == 0
    assert len(server.requests(GC)) == 1
    assert shell.err.splitlines() == [
        "There was nothing to remove.",
        "There is more: the server goes on with it.",
    ]


def test_only_the_operator_may(shell: Shell, server: SmallServer) -> None:
    server.on(GC, as_problem("forbidden", 403, "This is for the server's own operator."))
    assert shell.run("admin", "gc") == 1
    assert shell.err.strip() == "error[forbidden]: This is for the server's own operator."


def test_a_removed_log_and_result_are_told_as_such(shell: Shell, api: SmallApi) -> None:
    for path, code in (
        ("logs", "log-removed"),
        ("logs/tail", "log-removed"),
        ("results/preview", "result-removed"),
    ):
        api.server.on(f"GET {api.run}/{path}", as_problem(code, 410, "It was removed on 2030-01-31."))
    for words in (("logs", "run_1"), ("logs", "run_1", "--follow"), ("result", "run_1")):
        assert shell.run("runs", *words, "--project", "scoring") == 1, words
        assert "-removed]: It was removed on 2030-01-31." in shell.err, words
