"""The audit log in a browser: who did what to what, by the filters of its address."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from api_over_http import api_over_http
from api_server import BASE, ApiServer
from browsing import PAGE as ACCEPT
from browsing import browser, with_person

from daftray.domain.audit import AuditEntry
from daftray.domain.ids import Ids
from daftray.domain.principal import Role

LOG = "/projects/default/demo/audit-log"
DEMO = f"{BASE}/demo"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        yield server


async def shown(api: ApiServer, query: str = "") -> str:
    answer = await api.ask("GET", f"{LOG}{query}", headers=ACCEPT)
    assert answer.status_code == 200, answer.text
    return answer.text


def told(page: str) -> list[tuple[str, str]]:
    """Return the actions and targets of a page, newest first."""
    rows = re.findall(r'<tr id="aud_.*?</tr>', page, re.DOTALL)
    found = [
        re.search(r'class="label"[^>]*>([^<]+)<.*?class="target mono">(.*?)</td>', row, re.DOTALL)
        for row in rows
    ]
    return [(it[1], " ".join(re.sub(r"<[^>]+>", "", it[2]).split())) for it in found if it]


async def keep(api: ApiServer, *entries: dict[str, str], seconds: int = 0) -> None:
    """Keep entries of the project, as they came some seconds after the last ones."""
    demo = (await api.ask("GET", DEMO)).json()["id"]
    at, ids = api.services.clock.now() + timedelta(seconds=seconds), Ids()
    fields = {"workspace": "default", "project": demo, "actor": "usr_1", "actor_name": "ada", "action": "x.y"}
    for entry in entries:
        made = AuditEntry(id=ids.new("aud", at), at=at, **{**fields, **entry})
        await api.services.people.audit._store.add(made)


async def test_a_page_says_who_did_what_to_what_and_links_to_it(api: ApiServer) -> None:
    run = await api.create_run()
    bob = await with_person(api, "bob")
    await api.ask("PUT", f"{DEMO}/members/bob", json={"role": "viewer"})
    await api.ask("PUT", f"{DEMO}/secrets/TOKEN", json={"value": "long enough"})
    page = await shown(api)
    assert told(page) == [
        ("secret.set", "TOKEN"),
        ("member.set", "bob:viewer"),
        ("run.create", run["id"]),
        ("project.create", (await api.ask("GET", DEMO)).json()["id"]),
    ]
    assert f'href="/~/{run["id"]}"' in page
    assert 'href="/projects/default/demo/secrets">TOKEN' in page
    assert f'href="/projects/default/demo/members" title="{bob.id}:viewer"' in page
    assert "127.0.0.1" in page
    assert "long enough" not in page
    assert "who=key_" in page


async def test_filters_are_in_the_address(api: ApiServer) -> None:
    await keep(
        api,
        {"target": "one", "actor_name": "bob", "actor": "usr_2"},
        {"target": "two", "action": "run.cancel"},
        {"target": "three", "action": "session.refuse", "actor_name": "bob", "actor": "usr_2"},
    )
    for query, found in (
        ("?who=bob", ["three", "one"]),
        ("?who=bob&action=session.refuse", ["three"]),
        ("?target=TW", ["two"]),
        ("?action=run.cancel&where=", ["two"]),
    ):
        page = await shown(api, query)
        assert [target for _, target in told(page)] == found
        assert "Clear" in page
    key = api.keys["admin"].split(".")[1]
    assert told(await shown(api, f"?who={key}")) == told(await shown(api, "?action=project.create")) != []
    page = await shown(api, "?who=nobody&action=odd.one")
    assert "No change fits these filters" in page
    assert 'value="nobody"' in page
    assert "<option selected>odd.one</option>" in page


async def test_a_time_bounds_what_is_shown(api: ApiServer) -> None:
    await keep(api, {"target": "early"}, seconds=-7200)
    await keep(api, {"target": "late"}, seconds=-3600)
    between = (api.services.clock.now() - timedelta(seconds=5000)).replace(tzinfo=None).isoformat()
    assert [target for _, target in told(await shown(api, f"?until={between}"))] == ["early"]
    since = [target for _, target in told(await shown(api, f"?since={between}"))]
    assert (since[-1], "early" in since) == ("late", False)
    for wrong in ("since=x", "until=0001-01-01T00:00%2B14:00"):
        answer = await api.ask("GET", f"{LOG}?{wrong}", headers=ACCEPT)
        assert (answer.status_code, f"<code>{wrong.partition('=')[0]}</code>" in answer.text) == (400, True)


async def test_pages_go_back_to_the_first_change(api: ApiServer) -> None:
    await keep(api, *[{"target": f"n{number}", "action": "run.cancel"} for number in range(51)])
    first = await shown(api, "?action=run.cancel")
    assert len(told(first)) == 50
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    assert "action=run.cancel" in older[1]
    second = await shown(api, unescape(older[1]).removeprefix(LOG))
    assert told(second) == [("run.cancel", "n0")]
    assert "Newest" in second
    assert "Older" not in second


async def test_what_is_of_the_workspace_alone_is_shown_where_it_is_asked_for(api: ApiServer) -> None:
    await with_person(api, "bob")
    await api.ask("PUT", "/v1/workspaces/default/members/bob", json={"role": "viewer"})
    source = {"git": {"remote": api.repo.url}}
    other = (await api.ask("POST", BASE, json={"name": "other", "source": source})).json()["id"]
    await api.ask("PUT", f"{BASE}/other/secrets/TOKEN", json={"value": "long enough"})
    assert "bob:viewer" not in await shown(api)
    page = await shown(api, "?where=workspace")
    assert told(page)[0] == ("secret.set", "TOKEN")
    assert f'href="/projects/default/{other}/secrets"' in page
    assert ("member.set", "bob:viewer") in told(page)
    assert "another project" in page


async def test_what_was_typed_elsewhere_is_text(api: ApiServer) -> None:
    await keep(api, {"target": EVIL, "actor_name": EVIL, "action": EVIL, "remote": EVIL})
    page = await shown(api, "?who=%22%3E%3Cscript%3Ealert(1)") + await shown(api)
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 4


async def test_only_admins_of_the_whole_workspace_read_it(api: ApiServer) -> None:
    demo = (await api.ask("GET", DEMO)).json()["id"]
    await with_person(api, "eve", Role.ADMIN, project=demo)
    await with_person(api, "kim", Role.RUNNER)
    await with_person(api, "ada", Role.ADMIN)
    for name, status in (("eve", 403), ("kim", 403), ("ada", 200)):
        await browser(api).sign_in(name)
        assert (await browser(api).get(LOG)).status_code == status, name
