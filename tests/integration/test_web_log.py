"""The log's page, and what its modules ask for: where lines are, when they came, and whose they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from api_over_http import api_over_http
from api_runs import end, log_on, run_on
from api_server import BASE, ApiServer
from browsing import PAGE

from daftray.domain.run import Verdict
from daftray.domain.status import RunStatus

RUNS = "/projects/default/demo/runs"
SUCCEEDED = Verdict(status=RunStatus.SUCCEEDED)
CYAN, PLAIN = b"\x1b[36m", b"\x1b[0m"
MIXED = (
    b"begin\n"
    + CYAN
    + b"(embed pid=7)"
    + PLAIN
    + b" <b>one</b>\n(embed pid=8, ip=10.0.0.2) two\nbetween\n(raylet) three\nlast"
)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        yield server


async def asked(api: ApiServer, run: dict[str, str], path: str, **headers: str) -> Any:
    answer = await api.ask("GET", f"{RUNS}/{run['id']}/logs{path}", headers={"accept": "*/*", **headers})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer


async def parts(api: ApiServer, run: dict[str, str], query: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (await asked(api, run, f"/lines?{query}")).text.splitlines()]


async def test_the_index_of_a_log_finds_its_lines(api: ApiServer) -> None:
    run = await api.create_run()
    lines = [f"line {number} {'x' * (number % 300)}" for number in range(6000)]
    before = datetime.now(UTC).timestamp()
    await run_on(api, run, "".join(f"{line}\n" for line in lines).encode())
    await log_on(api, run, b"no end yet")
    index = (await asked(api, run, "/index")).json()
    assert index["lines"] == 6000
    assert len(index["marks"]) > 3
    for line, offset in index["marks"]:
        window = {"range": f"bytes={offset}-{offset + 400}"}
        part = await api.ask("GET", f"{BASE}/demo/runs/{run['id']}/logs", headers=window)
        assert part.text.partition("\n")[0] == lines[line]
    assert index["end"] == sum(len(line) + 1 for line in lines)
    assert index["times"][0][0] == 0
    assert all(before - 1 <= at <= datetime.now(UTC).timestamp() for _, at in index["times"])
    assert index["processes"] == []


async def test_a_log_says_who_wrote_in_it_and_shows_one_of_them_alone(api: ApiServer) -> None:
    run = await api.create_run()
    await run_on(api, run, MIXED)
    index = (await asked(api, run, "/index")).json()
    assert index["processes"] == ["embed pid=7", "embed pid=8, ip=10.0.0.2", "raylet"]
    (some, last) = await parts(api, run, "process=embed")
    assert some["lines"] == [2, 3]
    assert some["texts"][0].endswith(" <b>one</b>")
    assert last == {"total": 2, "more": False, "next": 6}
    *driver, last = await parts(api, run, "process=(driver)")
    assert [line for part in driver for line in part["lines"]] == [1, 4, 6]
    assert [text for part in driver for text in part["texts"]] == ["begin", "between", "last"]
    assert last["next"] == 7
    assert await parts(api, run, "process=nobody") == [{"total": 0, "more": False, "next": 6}]


async def test_matches_are_all_counted(api: ApiServer) -> None:
    run = await api.create_run()
    await run_on(api, run, b"a Match here\nnothing\n" * 3000)
    found = await parts(api, run, "q=match")
    assert sum(len(part.get("lines", ())) for part in found) == 3000
    assert found[-1] == {"total": 3000, "more": False, "next": 6001}
    assert "texts" not in found[0]


async def test_a_log_is_followed_by_many_lines_at_a_time(api: ApiServer) -> None:
    run = await api.create_run()
    await run_on(api, run, b"line\n" * 10_000)

    async def goes_on() -> None:
        await asyncio.sleep(0.3)
        await log_on(api, run, "new \u2028 \r line\nla".encode())
        await log_on(api, run, b"st")
        await end(api, run, SUCCEEDED)

    going_on = asyncio.create_task(goes_on())
    answer = await asked(api, run, "/tail?from=5")
    await going_on
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [event for event in answer.text.split("\n\n") if event.startswith("id:")]
    assert len(events) < 8
    data = [json.loads(event.partition("data: ")[2]) for event in events]
    whole = "line\n" * 10_000 + "new \u2028 \r line\nlast"
    assert "".join(part["text"] for part in data[:-1]) == whole[5:]
    assert data[0]["at"] is None, "it was there before"
    assert data[-2]["at"] is not None
    assert data[-1] == {"status": "succeeded"}
    again = await asked(api, run, "/tail?from=0", **{"Last-Event-ID": str(len(whole.encode()) - 4)})
    assert '"text":"last"' in again.text


async def test_a_time_leads_to_a_line(api: ApiServer) -> None:
    run = await api.create_run()
    await run_on(api, run, b"one\ntwo\n")
    path = f"{BASE}/demo/runs/{run['id']}/logs/since"
    first = (await api.ask("GET", path, params={"time": "2020-01-01T00:00:00+01:00"})).json()
    assert (first["line"], first["offset"]) == (1, 0)
    assert abs(datetime.fromisoformat(first["time"]).timestamp() - datetime.now(UTC).timestamp()) < 60
    late = await api.ask("GET", path, params={"time": "2999-01-01T00:00:00Z"})
    assert late.json() == {"line": 3, "offset": 8, "time": None}
    for query in ({}, {"time": "yesterday"}, {"time": "2026-01-01T00:00:00"}):
        assert (await api.ask("GET", path, params=query)).status_code == 400


async def test_what_is_no_question_is_refused(api: ApiServer) -> None:
    run = await api.create_run()
    for query in (
        "/lines",
        "/lines?q=a&process=b",
        "/tail?from=-1",
        "/lines?q=x&attempt=x",
        "/index?attempt=0",
    ):
        answer = await api.ask("GET", f"{RUNS}/{run['id']}/logs{query}", headers=PAGE)
        assert answer.status_code == 400, query
    for path in ("/tail", "/lines?q=x", "/index"):
        answer = await api.ask("GET", f"{RUNS}/{run['id']}/logs{path}", params={"attempt": 9}, headers=PAGE)
        assert answer.status_code in {400, 404}, path


async def test_the_page_shows_the_end_of_a_log_without_a_script(api: ApiServer) -> None:
    run = await api.create_run()
    await run_on(api, run, b"first\n" + b"line\n" * 600 + b"<script>alert(1)</script>\n")
    page = (await api.ask("GET", f"{RUNS}/{run['id']}/logs", headers=PAGE)).text
    assert "first" not in page.partition("<pre")[2]
    assert "&lt;script&gt;alert(1)" in page
    assert f'pages="{RUNS}/{run["id"]}/logs"' in page
