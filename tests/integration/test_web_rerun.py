"""Run again with changes: the form has what the run was asked, and overrides only what is changed."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from api_over_http import api_over_http
from api_server import BASE, ApiServer
from browsing import browser, with_person

from daftray.domain.principal import Role

RUNS = "/projects/default/demo/runs"
EVIL = "<script>alert(1)</script>"
CODE = """
def embed(rows: int, model: str = "small", *, tags: list[str] | None = None): ...
"""
ASKED: dict[str, Any] = {  # a body, which is JSON
    "entrypoint": {
        "function": {"module": "jobs.py", "symbol": "embed", "args": [3], "kwargs": {"tags": ["a"]}}
    },
    "environment": {"dependencies": ["httpx>=0.28"], "environment_variables": {"A": "two\nlines"}},
    "secrets": {"TOKEN": "long-enough"},
    "name": EVIL,
    "labels": {"k": "v"},
    "timeout_s": 5400,
    "budget": {"tokens": 500},
    "retries": {"max": 2, "on": ["killed"]},
}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        (server.repo.path / "jobs.py").write_text(CODE, encoding="utf-8")
        server.repo.git("add", "jobs.py")
        server.repo.git("commit", "-q", "-m", "jobs")
        await with_person(server, "ada", Role.RUNNER)
        await browser(server).sign_in("ada")
        yield server


def fields_of(page: str) -> dict[str, str]:
    """Return what a browser would send of the form of a run; the last of several, as a set."""
    (form,) = re.findall(r'<form class="run-form".*?</form>', page, re.DOTALL)
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        given = {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if given.get("type") not in {"radio", "checkbox"} or " checked" in tag:
            found[given["name"]] = given.get("value", "")
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL):
        found[name] = unescape(text).replace("\n", "\r\n")
    for several, name, options in re.findall(
        r'<select( multiple)?[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL
    ):
        offered = re.findall(r'<option(?: value="([^"]*)")?( selected)?>([^<]*)', options)
        chosen = [value or text for value, ticked, text in offered if ticked]
        if chosen or not several:
            found[name] = unescape(chosen[-1] if chosen else offered[0][0])
    return found


async def test_an_untouched_form_runs_the_same_again(api: ApiServer) -> None:
    run, ada = await api.create_run(**ASKED), browser(api)
    again = f"{RUNS}/{run['id']}/again"
    assert f'href="{again}"' in (await ada.get(f"{RUNS}/{run['id']}")).text
    page = (await ada.get(again)).text
    assert "<script>" not in page
    assert "long-enough" not in page
    assert "TOKEN" in page
    assert 'class="field changed"' not in page
    fields = fields_of(page)
    assert (fields["arg.rows"], fields["arg-named.tags"], fields["timeout_s"]) == ("3", '["a"]', "1h30m")
    made = await ada.send(again, fields)
    assert made.status_code == 303, made.text
    new = await api.stored({"id": made.headers["location"].rpartition("/")[2]})
    before = await api.stored(run)
    for name in ("entrypoint", "environment", "name", "labels", "timeout_s", "budget", "retries", "source"):
        assert getattr(new, name) == getattr(before, name)
    assert (new.rerun_of, new.secret_names) == (run["id"], ("TOKEN",))
    assert (await ada.send(again, fields)).headers["location"] == made.headers["location"]


async def test_what_is_changed_is_marked_and_overrides(api: ApiServer) -> None:
    run, ada = await api.create_run(**ASKED), browser(api)
    again = f"{RUNS}/{run['id']}/again"
    changes = {"arg.model": "big", "timeout_s": "", "budget_tokens": "9", "labels": "k=w"}
    asked = {**fields_of((await ada.get(again)).text), **changes}
    looked = (await ada.send(f"{again}/look", asked)).text
    marked = re.findall(r'<div class="field changed" data-field="([^"]+)">', looked)
    assert set(marked) == changes.keys()
    assert 'data-before="1h30m"' in looked
    assert looked.count('<span class="changed-mark">changed</span>') == len(changes)
    assert f"client.runs.rerun(\n        &#39;{run['id']}&#39;" in looked
    made = await ada.send(again, asked)
    new = await api.stored({"id": made.headers["location"].rpartition("/")[2]})
    assert new.entrypoint.function is not None
    assert (new.entrypoint.function.args, new.entrypoint.function.kwargs) == (
        None,
        {"rows": 3, "model": "big", "tags": ["a"]},
    )
    assert (new.timeout_s, new.budget and new.budget.tokens, new.labels) == (None, 9, {"k": "w"})
    assert new.rerun_of == run["id"]
    entry = (await api.ask("GET", "/v1/audit")).json()["entries"][0]
    assert (entry["action"], entry["target"]) == ("run.rerun", new.id)


async def test_what_is_wrong_comes_back_with_all_that_was_typed(api: ApiServer) -> None:
    run, ada = await api.create_run(**ASKED), browser(api)
    again = f"{RUNS}/{run['id']}/again"
    fields = {**fields_of((await ada.get(again)).text), "arg.rows": "many", "name": "kept"}
    answer = await ada.send(again, fields)
    assert (answer.status_code, 'id="wrong-arg.rows"' in answer.text) == (400, True)
    assert fields_of(answer.text)["arg.rows"] == "many"
    assert 'value="kept" ' in answer.text
    assert (await ada.send(again, {**fields, "csrf_token": "x"})).status_code == 403
    assert len((await api.ask("GET", f"{BASE}/demo/runs")).json()["runs"]) == 1


async def test_a_branch_that_is_gone_leaves_the_form_whole(api: ApiServer) -> None:
    run, ada = await api.create_run(**ASKED, source={"git": {"ref": "gone"}}), browser(api)
    page = (await ada.get(f"{RUNS}/{run['id']}/again")).text
    assert "gone" in page
    fields = fields_of(page)
    assert (fields["positional"], fields["arguments"]) == ("3", 'tags=["a"]')


async def test_who_may_only_look_has_no_form(api: ApiServer) -> None:
    run = await api.create_run(**ASKED)
    await with_person(api, "eve", Role.VIEWER)
    await browser(api).sign_in("eve")
    again = f"{RUNS}/{run['id']}/again"
    assert again not in (await browser(api).get(f"{RUNS}/{run['id']}")).text
    assert (await browser(api).get(again)).status_code == 403
    for path in ("", "/look", "/same-as"):
        assert (await browser(api).send(f"{again}{path}", {})).status_code == 403
    assert (await browser(api).get(f"{RUNS}/run_none/again")).status_code in {403, 404}
