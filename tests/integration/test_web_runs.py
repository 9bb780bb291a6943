"""The first page, the list of runs and the short links to them, as a browser without scripts has them."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_over_http import api_over_http
from api_runs import end, run_on
from api_server import BASE, ApiServer
from browsing import PAGE, browser, with_person
from sqlalchemy import event
from sqlalchemy.engine import Engine

from daftray.domain.principal import Role
from daftray.domain.run import Verdict
from daftray.domain.status import FailureReason, RunPhase, RunStatus

RUNS = "/projects/default/demo/runs"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        await with_person(server, "ada", Role.RUNNER)
        yield server


def rows(page: str) -> list[str]:
    return re.findall(r'<tr id="(run_[^"]+)"', page)


async def test_the_first_page_is_the_list_of_the_first_project(api: ApiServer) -> None:
    ada = browser(api)
    assert (await ada.get("/")).headers["location"] == "/sign-in?next=/"
    await ada.sign_in("ada")
    assert (await ada.get("/")).headers["location"] == RUNS
    empty = (await ada.get(RUNS)).text
    assert "No runs yet" in empty
    assert "ada" in empty
    projects = (await ada.get("/projects")).text
    assert f'href="{RUNS}"' in projects


async def test_who_is_in_no_project_is_told_so(api: ApiServer) -> None:
    await with_person(api, "bob")
    await browser(api).sign_in("bob")
    assert (await browser(api).get("/")).headers["location"] == "/projects"
    assert "no project that you may see" in (await browser(api).get("/projects")).text
    assert (await browser(api).get(RUNS)).status_code == 404


async def test_a_list_shows_what_there_is_to_know(api: ApiServer) -> None:
    made = await api.create_run(name="nightly", labels={"team": "search"}, source={"git": {"ref": "main"}})
    await run_on(api, made, b"a line\n")
    verdict = Verdict(status=RunStatus.FAILED, reason=FailureReason.USER_ERROR)
    await end(api, made, verdict)
    waiting = await api.create_run()
    text = (await api.ask("GET", RUNS, headers=PAGE)).text
    assert rows(text) == [waiting["id"], made["id"]]
    for shown in ("nightly", "main.py", "team=search", "main", "user_error", "failed", "manual", "admin"):
        assert shown in text
    assert "<title>running:" in text
    assert f'href="{RUNS}/{made["id"]}"' in text


async def test_filters_are_in_the_address_and_stay_while_paging(api: ApiServer) -> None:
    made = [await api.create_run(name=f"run {number}", labels={"k": "v"}) for number in range(3)]
    other = await api.create_run(name="other")
    page = (await api.ask("GET", f"{RUNS}?q=run&status=&label=k%3Dv&limit=2", headers=PAGE)).text
    assert rows(page) == [made[2]["id"], made[1]["id"]]
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older
    second = (await api.ask("GET", older[1].replace("&amp;", "&"), headers=PAGE)).text
    assert rows(second) == [made[0]["id"]]
    assert 'value="run"' in second
    none = (await api.ask("GET", f"{RUNS}?status=failed", headers=PAGE)).text
    assert "No run fits these filters" in none
    assert other["id"] not in page


async def test_every_trigger_that_runs_can_have_is_offered(api: ApiServer) -> None:
    run = await api.create_run()
    for trigger in ("manual", "check", "cron", "event", "endpoint"):
        text = (await api.ask("GET", f"{RUNS}?trigger={trigger}", headers=PAGE)).text
        assert f'<option value="{trigger}" selected>' in text
        assert rows(text) == ([run["id"]] if trigger == "manual" else [])


async def test_queued_runs_tell_their_place(api: ApiServer) -> None:
    context = api.services.reconciler._context
    made = [await api.create_run() for _ in range(2)]
    await context.runs.claim_due(context.claim, limit=10)
    for run in made:
        queued, event = (await api.stored(run)).advance(RunPhase.QUEUED, datetime.now(UTC))
        await context.runs.save(queued, (event,), context.claim)
        await context.runs.release(run["id"], context.claim, due_in=timedelta())
    text = (await api.ask("GET", RUNS, headers=PAGE)).text
    second, first = text.split('<tr id="run_')[1:3]
    assert "runs of its project before it: 1; runs that wait in all: 2" in second
    assert "room: 0 of" in first


@pytest.mark.parametrize(
    "query",
    ["status=nonsense", "label=x", "created_after=x", "limit=0", "limit=9999", "limit=%C2%B2"],
)
async def test_a_filter_that_is_none_is_told(api: ApiServer, query: str) -> None:
    answer = await api.ask("GET", f"{RUNS}?{query}", headers=PAGE)
    assert (answer.status_code, f"<code>{query.partition('=')[0]}</code>" in answer.text) == (400, True)


async def test_what_runs_say_is_text(api: ApiServer) -> None:
    await api.create_run(name=EVIL, labels={"k": EVIL}, source={"git": {"ref": "main"}})
    text = (await api.ask("GET", f"{RUNS}?q=%22%3E%3Cscript%3E", headers=PAGE)).text
    text += (await api.ask("GET", RUNS, headers=PAGE)).text
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)" in text


async def test_ticked_runs_are_cancelled_or_run_again(api: ApiServer) -> None:
    first, second = await api.create_run(), await api.create_run()
    ada = browser(api)
    await ada.sign_in("ada")
    answer = await ada.submit(RUNS, RUNS, {"run": second["id"], "act": "cancel"})
    assert (answer.status_code, answer.headers["location"]) == (303, RUNS)
    assert (await api.stored(second)).cancel_requested_at
    assert (await api.stored(first)).cancel_requested_at is None
    await ada.submit(RUNS, RUNS, {"run": first["id"], "act": "rerun"})
    newest = (await api.ask("GET", f"{BASE}/demo/runs")).json()["runs"][0]
    assert newest["rerun_of"] == first["id"]
    for fields in ({"act": "cancel"}, {"run": first["id"], "act": "delete"}):
        assert (await ada.submit(RUNS, RUNS, fields)).status_code == 400
    assert (await ada.submit(RUNS, RUNS, {"run": "run_none", "act": "cancel"})).status_code == 404


async def test_who_may_only_look_is_shown_no_buttons_and_changes_nothing(api: ApiServer) -> None:
    run = await api.create_run()
    await with_person(api, "eve", Role.VIEWER)
    eve = browser(api)
    await eve.sign_in("eve")
    text = (await eve.get(RUNS)).text
    assert rows(text) == [run["id"]]
    assert "Cancel ticked" not in text
    assert (await eve.submit(RUNS, RUNS, {"run": run["id"], "act": "cancel"})).status_code == 403


async def test_a_short_link_leads_to_the_run_and_tells_strangers_nothing(api: ApiServer) -> None:
    run = await api.create_run()
    found = await api.ask("GET", f"/~/{run['id']}", headers=PAGE)
    assert (found.status_code, found.headers["location"]) == (303, f"{RUNS}/{run['id']}")
    await api.ask("GET", f"/~/{run['id']}", key="stranger")  # notes when the key was used, once a minute
    asked: list[list[str]] = []
    answers: list[httpx.Response] = []

    def note(*given: Any) -> None:
        asked[-1].append(given[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for name in (run["id"], "run_none"):
            asked.append([])
            answers.append(await api.ask("GET", f"/~/{name}", key="stranger"))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    assert asked[0] == asked[1] != []
