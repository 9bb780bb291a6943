"""The cluster in a browser: health, versions, nodes, limits, and what runs and waits there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_over_http import api_over_http
from api_runs import run_on
from api_server import BASE, RUN_BODY, ApiServer
from browsing import PAGE as ACCEPT
from browsing import browser, with_person
from msgspec.structs import replace

from daftray.domain.cluster import ClusterInfo, ClusterNode
from daftray.domain.principal import Role
from daftray.domain.status import RunPhase
from daftray.runs import clusters
from daftray.web.texts import UNKNOWN

PAGE = "/projects/default/demo/clusters"
RUNS = "/projects/default/demo/runs"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        yield server


async def shown(api: ApiServer, key: str = "viewer") -> str:
    """Return the page, newly asked for."""
    api.services.clusters._asked_at = None
    answer = await api.ask("GET", PAGE, key=key, headers=ACCEPT)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


def section(page: str, name: str) -> str:
    found = re.search(rf'<section[^>]* id="{name}".*?</section>', page)
    assert found, name
    return re.sub(r"<svg.*?</svg>", "", found[0])


async def queue(api: ApiServer, run: dict[str, Any], **fields: Any) -> None:
    """Let a run be queued, as the reconciler does once its commit is pinned."""
    context = api.services.reconciler._context
    await context.runs.claim_due(context.claim, limit=10)
    await context.runs.save(
        replace(await api.stored(run), phase=RunPhase.QUEUED, **fields), (), context.claim
    )


async def test_a_cluster_that_answers_says_what_it_is_and_has(api: ApiServer) -> None:
    gone = ClusterNode(id="cd" * 28, state="DEAD", address="10.0.0.2", cpus=8, detail="The node was lost.")
    api.rayjobs.there.append(gone)
    page = await shown(api)
    health = section(page, "health")
    for said in ("It answers", "2.59.0", "3.12.1", "of the server"):
        assert said in health
    assert "tested with" not in page
    assert "0 of 4 taken" in section(page, "has")
    assert "16 GiB of 64 GiB taken" in section(page, "has")
    limits = section(page, "limits")
    for said in ("0 of 4 places taken", "4 more may start now", "no limit of its own", "512 MiB", "400 MiB"):
        assert said in limits
    nodes = section(page, "nodes")
    assert re.findall(r"<td>(alive|dead)", nodes) == ["alive", "dead"]
    for said in ("10.0.0.1", "head", "abababababab", "32 GiB", "10.0.0.2", "The node was lost."):
        assert said in nodes
    assert 'href="http://fake.invalid/#/cluster"' in page
    assert '<live-region id="cluster" every="5">' in page


async def test_versions_that_do_not_fit_are_told(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def info() -> ClusterInfo:
        return ClusterInfo(session="s", ray_version="2.61.0", python_version="3.1.4")

    monkeypatch.setattr(api.rayjobs, "info", info)
    health = section(await shown(api), "health")
    assert "Ray 2.61.0 is not the release that this daftray is tested with, 2.59." in health
    assert "Runs have Python 3.1.4." in health


async def test_a_cluster_that_does_not_answer_is_shown_all_the_same(api: ApiServer) -> None:
    run = await api.create_run(name="patient")
    await queue(api, run)
    assert "It answers" in await shown(api)
    api.rayjobs.unreachable = True
    page = await shown(api)
    assert "It does not answer, since" in re.sub(r"<[^>]+>", "", section(page, "health")).replace(" ,", ",")
    assert "It was heard of last" in page
    for name in ("has", "nodes"):
        assert "It does not tell." in section(page, name)
    assert "patient" in section(page, "queue")
    first = re.search(r'since <time datetime="([^"]+)"', page)
    again = re.search(r'since <time datetime="([^"]+)"', await shown(api))
    assert first
    assert again
    assert first[1] == again[1], "it is the same silence"
    api.rayjobs.unreachable = False
    assert "since" not in section(await shown(api), "health")


async def test_a_cluster_that_hangs_holds_the_page_up_for_its_time_only(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(clusters, "ANSWERS_WITHIN_S", 0.05)
    monkeypatch.setattr(api.rayjobs, "nodes", hang)
    page = await shown(api)
    assert "It answers" in page
    assert "did not answer within 0.05 seconds" in page
    assert "It does not tell." in section(page, "nodes")
    assert "0 of 4 taken" in section(page, "has")


async def test_many_who_look_ask_the_cluster_once(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    answer = api.rayjobs.info

    async def count() -> ClusterInfo:
        nonlocal asked
        asked += 1
        return await answer()

    monkeypatch.setattr(api.rayjobs, "info", count)
    now = api.services.clock.now()
    monkeypatch.setattr(api.services.clusters._clock, "now", lambda: now)
    looked = await asyncio.gather(*[api.ask("GET", PAGE, key="viewer", headers=ACCEPT) for _ in range(5)])
    assert [it.status_code for it in looked] == [200] * 5
    assert asked == 1


async def test_runs_of_the_project_are_linked_and_the_queue_is_in_its_order(api: ApiServer) -> None:
    there, later, urgent = [
        await api.create_run(name=name, priority=priority, resources={"num_cpus": 1.5})
        for name, priority in (("there", 0), (EVIL, 0), ("urgent", 9))
    ]
    await run_on(api, there, b"a line\n")
    await queue(api, later, waiting_for="a place on the cluster")
    await queue(api, urgent)
    page = await shown(api)
    assert f'href="{RUNS}/{there["id"]}"' in section(page, "here")
    assert "1.50 CPUs" in section(page, "here")
    waiting = section(page, "queue")
    assert re.findall(r'href="[^"]*/(run_\w+)"', waiting) == [urgent["id"], later["id"]]
    assert "a place on the cluster" in waiting
    assert "<script>alert" not in page
    assert "1 of 4 places taken" in section(page, "limits")


async def test_of_other_projects_only_numbers_are_told_to_who_may_not_see_them(api: ApiServer) -> None:
    source = {"git": {"remote": api.repo.url}}
    for name in ("unseen-one", "unseen-two"):
        await api.ask("POST", BASE, json={"name": name, "source": source})
        made = await api.ask("POST", f"{BASE}/{name}/runs", json={**RUN_BODY, "name": "unseen run"})
        await queue(api, made.json()["run"])
    demo = (await api.ask("PATCH", f"{BASE}/demo", json={"max_running": 3})).json()["id"]
    await with_person(api, "eve", Role.VIEWER, project=demo)
    eve = browser(api)
    await eve.sign_in("eve")
    page = " ".join((await eve.get(PAGE)).text.split())
    cells = re.compile(r'<td class="number">([^<]*)</td>')
    rows = re.findall(r"<tr>(.*?)</tr>", section(page, "shares").partition("<tbody>")[2])
    assert [cells.findall(row) for row in rows] == [["0", "0", "3"], ["0", "2", UNKNOWN]]
    assert "other projects" in rows[1]
    assert "unseen" not in page
    seen = section(await shown(api), "shares")
    assert 'href="/projects/default/unseen-one/runs">default / unseen-one' in seen
    assert "other projects" not in seen
    assert "at most 3" in section(page, "limits")
    await with_person(api, "bob")
    await browser(api).sign_in("bob")
    assert (await browser(api).get(PAGE)).status_code == 404
