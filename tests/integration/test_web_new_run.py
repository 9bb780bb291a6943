"""The form that makes a run, as a browser without scripts fills it in."""

from __future__ import annotations

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
    given = {"arg-positional.rows": "3", "arg.dry": "true", "arg.model": "", "arg-rest.paths": "a\nb"}
    assert (await ada.send(NEW, {**asked, **given})).status_code == 303
    function = (await newest(api))["entrypoint"]["function"]
    assert (function["symbol"], function["args"]) == ("embed", ["3", "a", "b"])
    assert function["kwargs"] == {"dry": "true"}


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
