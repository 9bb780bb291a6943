"""A run's pages: what they show of it, and what is done there, as a browser without scripts has them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from api_over_http import api_over_http
from api_runs import end, run_on
from api_server import BASE, ApiServer
from browsing import PAGE, browser, with_person

from daftray.domain.counters import REQUESTS, Counter
from daftray.domain.principal import Role
from daftray.domain.result import Column, RunResult
from daftray.domain.run import Verdict
from daftray.domain.series import Sample, Series
from daftray.domain.status import FailureReason, RunStatus

RUNS = "/projects/default/demo/runs"
EVIL = "<script>alert(1)</script>"
TABS = ("", "/logs", "/problems", "/results", "/metrics")


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        await with_person(server, "ada", Role.RUNNER)
        yield server


async def shown(api: ApiServer, run: dict[str, str], tab: str = "") -> str:
    answer = await api.ask("GET", f"{RUNS}/{run['id']}{tab}", headers=PAGE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return answer.text


async def test_a_run_that_waits_says_why_and_what_there_is_not_yet(api: ApiServer) -> None:
    run = await api.create_run(name="nightly", labels={"team": "x"})
    details = await shown(api, run)
    for text in ("nightly", "Pending:", "main.py", "not submitted yet", "team=x", "created", "Cancel"):
        assert text in details
    assert 'every="2"' in details
    for tab, text in zip(TABS[1:], ("Not a line yet", "No exception so far", "goes on", "yet"), strict=True):
        assert text in await shown(api, run, tab)


async def test_a_run_that_has_ended_says_how_and_asks_no_more(api: ApiServer) -> None:
    run = await api.create_run()
    await run_on(api, run, b"first\n\x1b[31mred\x1b[0m <b>\n")
    verdict = Verdict(status=RunStatus.FAILED, reason=FailureReason.NODE_LOST, detail="a node went away")
    await end(api, run, verdict)
    details = await shown(api, run)
    for text in ("node_lost", "a node went away", "platform", "Attempts", ">done<"):
        assert text in details
    assert 'every="2"' not in details
    assert f'action="{RUNS}/{run["id"]}/cancel"' not in details
    log = await shown(api, run, "/logs")
    assert "first" in log
    assert "<b>" not in log
    for tab in ("/problems", "/results", "/metrics"):
        assert "empty" in await shown(api, run, tab)


@pytest.mark.parametrize(
    ("result", "texts"),
    [
        (
            RunResult(kind="json", value=msgspec.Raw(b'{"a":[1,{"b":"' + EVIL.encode() + b'"}]}')),
            ["a", "[ ] 2"],
        ),
        (RunResult(kind="json", value=msgspec.Raw(b"42")), ["42"]),
        (RunResult(kind="json", value=msgspec.Raw(b'"' + b"x" * 300_000 + b'"')), ["not shown here"]),
        (RunResult(kind="json", value=msgspec.Raw(b"[" * 60 + b"]" * 60)), ["Download"]),
        (
            RunResult(
                kind="table",
                columns=[Column(name=EVIL, type="Utf8"), Column(name="n", type="Int64")],
                rows=2000,
                preview=[{EVIL: EVIL, "n": None}],
                size=5,
                data=True,
            ),
            ["2,000 rows", "Int64", "null", "Parquet", "The first 1 rows"],
        ),
        (RunResult(kind="artifact", media_type="application/x-npy", size=2048, data=True), ["2.0 KiB"]),
        (RunResult(kind="omitted", note=f"too large {EVIL}"), ["not kept", "too large"]),
    ],
)
async def test_a_result_is_shown_and_can_do_nothing(
    api: ApiServer, result: RunResult, texts: list[str]
) -> None:
    run = await api.create_run()
    await run_on(api, run, b"")
    await api.services.outcomes._reports.put_result(run["id"], result)
    await end(api, run, Verdict(status=RunStatus.SUCCEEDED))
    page = await shown(api, run, "/results")
    assert "<script>" not in page
    for text in texts:
        assert text in page


async def test_metrics_are_tables_before_they_are_charts(api: ApiServer) -> None:
    run = await api.create_run(budget={"tokens": 5000})
    await run_on(api, run, b"")
    attributes = {"gen_ai.request.model": EVIL, "gen_ai.token.type": "input"}
    counter = Counter(process="p", metric="gen_ai.client.token.usage", attributes=attributes, value=1234)
    await api.services.outcomes._reports.count(run["id"], 1, [counter])
    page = await shown(api, run, "/metrics")
    assert "1,234" in page
    assert "By model" in page
    assert '<progress max="5000" value="1234' in page
    assert "<script>" not in page


async def test_charts_have_axes_a_table_and_what_is_missing_says_why(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await api.create_run(budget={"requests": 200})
    waiting = await shown(api, run, "/metrics")
    assert "it has not begun" in waiting
    await run_on(api, run, b"")
    attributes = {"gen_ai.request.model": "m", "gen_ai.provider.name": "p"}
    counter = Counter(process="p", metric=REQUESTS, attributes=attributes, value=100)
    reports, begun = api.services.outcomes._reports, datetime(2026, 11, 1, 12, tzinfo=UTC)
    await reports.count(run["id"], 1, [counter])
    samples = [Sample(at=begun + timedelta(seconds=10 * step), requests=50.0 * step) for step in range(3)]

    async def series(_: str) -> Series:
        return Series(samples=tuple(samples))

    monkeypatch.setattr(reports, "series", series)
    page = await shown(api, run, "/metrics")
    for text in (
        "chart-requests",
        'data-figures="0:5 10:5 20:5"',
        ">12:00:10<",
        "12:00:20 UTC: 5",
        "<summary",
    ):
        assert text in page
    assert "100 of 200 (50 %)" in page
    for text in ("the models&#39; answers told none", "the project has no prices"):
        assert text in page


async def test_attempts_link_to_their_logs_and_problems(api: ApiServer) -> None:
    run = await api.create_run()
    await run_on(api, run, b"a line\n")
    page = await shown(api, run)
    base = f"{RUNS}/{run['id']}"
    for address in (f"{base}/logs?attempt=1", f"{base}/problems?attempt=1"):
        assert f'href="{address}"' in page
    assert "Only those of attempt 1" in await shown(api, run, "/problems?attempt=1")


async def test_cancel_and_run_again_are_forms(api: ApiServer) -> None:
    run = await api.create_run()
    ada, page = browser(api), f"{RUNS}/{run['id']}"
    await ada.sign_in("ada")
    assert (await ada.send(f"{page}/cancel", {})).status_code == 403
    assert (await ada.submit(page, f"{page}/cancel")).headers["location"] == page
    assert (await api.stored(run)).cancel_requested_at
    again = await ada.submit(page, f"{page}/rerun", {"once": "k"})
    assert again.status_code == 303
    assert again.headers["location"] != page
    twice = await ada.submit(page, f"{page}/rerun", {"once": "k"})
    assert twice.headers["location"] == again.headers["location"]
    details = (await ada.get(again.headers["location"])).text
    assert f'href="/~/{run["id"]}"' in details
    entries = (await api.ask("GET", "/v1/audit")).json()["entries"]
    new = again.headers["location"].rpartition("/")[2]
    assert {("run.cancel", run["id"]), ("run.rerun", new)} <= {
        (one["action"], one["target"]) for one in entries
    }


@pytest.mark.parametrize("tab", [*TABS, "/logs/index", "/logs/tail", "/logs/lines?q=x", "/problems/ffff"])
async def test_a_foreign_run_is_none(api: ApiServer, tab: str) -> None:
    run = await api.create_run()
    source = {"git": {"remote": api.repo.url}}
    assert (await api.ask("POST", BASE, json={"name": "other", "source": source})).status_code == 201
    for name in (run["id"], "run_none"):
        answer = await api.ask("GET", f"/projects/default/other/runs/{name}{tab}", headers=PAGE)
        assert (answer.status_code, "There is no such page" in answer.text) == (404, True)


async def test_an_attempt_that_is_none_is_told(api: ApiServer) -> None:
    run = await api.create_run()
    for tab in ("/logs?attempt=x", "/logs?attempt=99", "/problems?attempt=-1"):
        answer = await api.ask("GET", f"{RUNS}/{run['id']}{tab}", headers=PAGE)
        assert answer.status_code in {400, 404}, tab
