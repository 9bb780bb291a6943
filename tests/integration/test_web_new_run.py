"""The form that makes a run, as a browser without scripts fills it in."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_over_http import api_over_http
from api_server import BASE, ApiServer
from browsing import Browser, browser, with_person

from daftray.domain.principal import Role

NEW = "/projects/default/demo/new-run"
CODE = '''
def embed(rows: int, /, model: str = "small", *paths: str, dry: bool = False):
    """Embed <script>alert(1)</script> rows."""
'''


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        await with_person(server, "ada", Role.RUNNER)
        await browser(server).sign_in("ada")
        yield server


async def fields(api: ApiServer, **more: str) -> dict[str, str]:
    token = (await api.http.get("/v1/auth/session")).json()["csrf_token"]
    return {"csrf_token": token, "once": "k", "kind": "file", "path": "main.py", **more}


async def newest(api: ApiServer) -> dict[str, Any]:
    return (await api.ask("GET", f"{BASE}/demo/runs")).json()["runs"][0]


async def test_a_file_is_run_as_asked_and_once(api: ApiServer) -> None:
    ada: Browser = browser(api)
    assert (await ada.get(NEW)).status_code == 200
    asked = await fields(
        api, argv="--rows\n3\n", dependencies="httpx>=0.28\n", variables="A=b=c", labels="k=v", name="x"
    )
    made = await ada.send(NEW, asked)
    assert made.status_code == 303, made.text
    run = await newest(api)
    assert made.headers["location"].endswith(run["id"])
    assert run["entrypoint"]["file"] == {"file_path": "main.py", "argv": ["--rows", "3"]}
    assert run["environment"]["environment_variables"] == {"A": "b=c"}
    assert (run["name"], run["labels"], run["trigger"]) == ("x", {"k": "v"}, "manual")
    assert (await ada.send(NEW, asked)).headers["location"] == made.headers["location"]


async def test_look_offers_what_the_commit_has(api: ApiServer) -> None:
    (api.repo.path / "jobs.py").write_text(CODE, encoding="utf-8")
    api.repo.git("add", "jobs.py")
    api.repo.git("commit", "-q", "-m", "jobs")
    ada = browser(api)
    asked = await fields(api, kind="function", path="jobs.py", symbol="embed", name="kept")
    shown = (await ada.send(f"{NEW}/look", asked)).text
    for text in (
        '<option value="jobs.py">',
        'name="arg-positional.rows"',
        'name="arg.model"',
        'value="kept"',
    ):
        assert text in shown
    assert "<script>" not in shown
    rest = {"arg-positional.rows": "3", "arg.model": "", "arg-rest.paths": "a\nb", "arg-named.dry": "true"}
    refused = await ada.send(NEW, {**asked, **rest})
    assert (refused.status_code, 'id="wrong-arg.model"' in refused.text) == (400, True)
    assert (await ada.send(NEW, {**asked, **rest, "arg.model": "big"})).status_code == 303
    function = (await newest(api))["entrypoint"]["function"]
    assert (function["symbol"], function["args"]) == ("embed", ["3", "big", "a", "b"])
    assert function["kwargs"] == {"dry": "true"}


async def test_everything_that_the_api_takes_is_in_the_form(api: ApiServer) -> None:
    page = (await browser(api).get(NEW)).text
    bounds = {
        "num_cpus": "0.5",
        "memory": "1 GiB",
        "runner": "native",
        "priority": "-5",
        "timeout_s": "2h",
        "start_timeout_s": "90",
        "queue_timeout_s": "1d",
        "retries_max": "2",
        "retries_on": "killed",
        "retries_backoff": "5s",
        "budget_tokens": "1_000",
        "budget_requests": "7",
        "secret-name.0": "TOKEN",
        "secret-value.0": "long enough",
    }
    for name in (*bounds, "remote", "directory", "patch", "num_gpus", "budget_usd", "ref"):
        assert f'name="{name}"' in page
    assert (await browser(api).send(NEW, await fields(api, **bounds))).status_code == 303
    run = await newest(api)
    assert run["resources"] == {"num_cpus": 0.5, "num_gpus": None, "memory": 1 << 30}
    assert (run["timeout_s"], run["start_timeout_s"], run["queue_timeout_s"]) == (7200, 90, 86400)
    assert run["retries"] == {"max": 2, "on": ["killed"], "backoff": 5}
    assert run["budget"] == {"tokens": 1000, "requests": 7, "usd": None}
    assert (run["runner"], run["priority"], run["secret_names"]) == ("native", -5, ["TOKEN"])


async def test_a_secret_is_in_no_page_and_all_else_comes_back(api: ApiServer) -> None:
    given = {"secret-name.0": "TOKEN", "secret-value.0": "long-enough", "timeout_s": "soon", "labels": "a=b"}
    for address in (NEW, f"{NEW}/look", f"{NEW}/same-as"):
        page = (await browser(api).send(address, await fields(api, **given))).text
        assert "long-enough" not in page
        assert ("TOKEN" in page, 'value="soon"' in page) == ((address != f"{NEW}/same-as"),) * 2
    wrong = (await browser(api).send(NEW, await fields(api, **given))).text
    assert 'id="wrong-timeout_s"' in wrong
    assert '<details class="card more" open>' in wrong


async def test_data_sources_are_offered_where_a_parameter_wants_one(api: ApiServer) -> None:
    code = "import daft\ndef join(left: daft.DataFrame, lake: daft.Catalog, other, n: int): ...\n"
    (api.repo.path / "jobs.py").write_text(code, encoding="utf-8")
    api.repo.git("add", "jobs.py")
    api.repo.git("commit", "-q", "-m", "jobs")
    source = {"name": "orders", "info": {"csv": {"paths": ["s3://b/k"]}}}
    assert (await api.ask("POST", f"{BASE}/demo/data-sources", json=source)).status_code == 201
    asked = await fields(api, kind="function", path="jobs.py", symbol="join")
    page = (await browser(api).send(f"{NEW}/look", asked)).text
    assert page.count('<option value="data_source:orders">') == 2
    assert '<select name="pick.arg.n"' not in page
    assert 'type="number"' in page
    kinds = dict(re.findall(r'name="(as\.arg\.\w+)" value="([^"]*)"', page))
    picked = {"pick.arg.left": "data_source:orders", "pick.arg.other": "data_source:orders"}
    texts = {"arg.left": "", "arg.lake": "main", "arg.other": "", "arg.n": "three"}
    refused = await browser(api).send(NEW, {**asked, **kinds, **picked, **texts})
    assert (refused.status_code, 'id="wrong-arg.n"' in refused.text) == (400, True)
    assert 'value="three"' in refused.text
    assert (
        await browser(api).send(NEW, {**asked, **kinds, **picked, **texts, "arg.n": "3"})
    ).status_code == 303
    kwargs = (await newest(api))["entrypoint"]["function"]["kwargs"]
    assert kwargs == {"left": "orders", "lake": "main", "other": {"data_source": "orders"}, "n": "3"}


async def test_dependencies_are_checked_line_by_line(api: ApiServer) -> None:
    asked = await fields(api, dependencies="httpx\n<script>\n")
    for address in (f"{NEW}/dependencies", f"{NEW}/look", NEW):
        page = (await browser(api).send(address, asked)).text
        assert "Line 2, <code>&lt;script&gt;</code>" in page
    assert (await browser(api).send(f"{NEW}/dependencies", {"dependencies": "x"})).status_code == 403
    large = await fields(api, dependencies="x" * 70_000)
    assert (await browser(api).send(f"{NEW}/dependencies", large)).status_code == 413


async def test_the_form_is_said_as_command_code_and_call(api: ApiServer) -> None:
    asked = await fields(api, path="it's.py", argv="<script>", ref="v1", look="code")
    shown = (await browser(api).send(f"{NEW}/look", asked)).text
    alone = (await browser(api).send(f"{NEW}/same-as", asked)).text
    assert '<details class="card same" open>' in shown
    for page in (shown, alone):
        assert "daftray run --project demo --ref v1 &#39;it&#39;&#34;&#39;&#34;&#39;s.py&#39;" in page
        assert "client.runs.create(" in page
        assert "/v1/workspaces/default/projects/demo/runs" in page
        assert "<script>" not in page
    incomplete = (await browser(api).send(f"{NEW}/same-as", await fields(api, path=""))).text
    assert "Not yet: entrypoint.file.file_path" in incomplete


@pytest.mark.parametrize("path", ["", "/look", "/same-as", "/dependencies"])
async def test_only_who_may_run_has_the_form(api: ApiServer, path: str) -> None:
    await with_person(api, "eve", Role.VIEWER)
    await browser(api).sign_in("eve")
    assert (await browser(api).send(f"{NEW}{path}", await fields(api))).status_code == 403
    assert (await browser(api).get(NEW)).status_code == 403


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"path": ""}, "file_path"),
        ({"variables": "A"}, "variables"),
        ({"dependencies": "???"}, "dependencies"),
        ({"kind": "function", "symbol": ""}, "symbol"),
        ({"variables": "<script>=x"}, "environment_variables"),
    ],
)
async def test_what_is_wrong_is_told_beside_what_was_typed(
    api: ApiServer, more: dict[str, str], told: str
) -> None:
    answer = await browser(api).send(NEW, await fields(api, name="kept", **more))
    assert (answer.status_code, told in answer.text, 'value="kept"' in answer.text) == (400, True, True)
    assert "<script>" not in answer.text


async def test_a_branch_that_is_not_there_is_told_and_nothing_is_made_without_the_token(
    api: ApiServer,
) -> None:
    looked = await browser(api).send(f"{NEW}/look", await fields(api, ref="nowhere"))
    assert (looked.status_code, "nowhere" in looked.text) == (200, True)
    forged = {**await fields(api), "csrf_token": "x"}
    assert (await browser(api).send(NEW, forged)).status_code == 403
    assert (await api.ask("GET", f"{BASE}/demo/runs")).json()["runs"] == []
