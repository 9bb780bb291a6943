"""Data sources and catalogs in a browser, by the fields of their kinds and as JSON; their checks."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest
from api_over_http import api_over_http
from api_runs import end, run_on
from api_server import BASE, ApiServer
from browsing import Browser, browser, with_person

from daftray.domain.principal import Role
from daftray.domain.result import RunResult
from daftray.domain.run import Verdict
from daftray.domain.status import RunStatus

DEMO = "/projects/default/demo"
SOURCES, CATALOGS = f"{DEMO}/data-sources", f"{DEMO}/catalogs"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        await with_person(server, "ada", Role.ADMIN)
        await browser(server).sign_in("ada")
        yield server


async def kept(api: ApiServer, where: str = "data-sources") -> list[dict[str, Any]]:
    return (await api.ask("GET", f"{BASE}/demo/{where}")).json()[where.replace("-", "_")]


async def add(api: ApiServer, info: dict[str, Any], *, name: str = "it", where: str = "data-sources") -> str:
    answer = await api.ask("POST", f"{BASE}/demo/{where}", json={"name": name, "info": info})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def filled_in(page: str) -> dict[str, str]:
    """Return what the fields of a page hold: what a browser sends when nothing is touched."""
    texts = re.findall(r'<textarea name="([^"]+)"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    inputs = re.findall(r'<input (?:type="hidden" )?name="([^"]+)" value="([^"]*)"', page)
    chosen: list[tuple[str, str]] = []
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        found = re.search(r"<option selected>([^<]*)", options)
        chosen.append((name, found[1] if found else ""))
    return {name: unescape(text) for name, text in [*chosen, *texts, *inputs]}


async def test_a_kind_is_chosen_filled_in_and_kept(api: ApiServer) -> None:
    ada: Browser = browser(api)
    await api.ask("PUT", f"{BASE}/demo/secrets/S3", json={"value": "long enough"})
    assert "No data sources yet" in (await ada.get(SOURCES)).text
    kinds = (await ada.get(f"{SOURCES}/new")).text
    assert f'href="{SOURCES}/new?kind=parquet"' in kinds
    page = f"{SOURCES}/new?kind=csv"
    assert '<option value="S3">' in (await ada.get(page)).text
    field = "info.csv."
    asked = {
        "name": "orders",
        f"{field}paths": "s3://b/a\n\n s3://b/c \n",
        f"{field}delimiter": "\\t",
        f"{field}has_headers": "false",
        f"{field}io.s3.secret_name": "S3",
        f"{field}io.s3.num_tries": "3",
        f"{field}io.azure.endpoint": "",
    }
    made = await ada.submit(page, SOURCES, asked)
    assert made.status_code == 303, made.text
    (one,) = await kept(api)
    assert one["info"] == {
        "csv": {
            "paths": ["s3://b/a", "s3://b/c"],
            "delimiter": "\t",
            "has_headers": False,
            "io": {"s3": {"secret_name": "S3", "num_tries": 3}},
        }
    }
    assert made.headers["location"] == f"{SOURCES}/{one['id']}"
    listed = (await ada.get(SOURCES)).text
    assert "orders" in listed
    assert "s3://b/a, s3://b/c" in listed
    shown = (await ada.get(f"{SOURCES}/{one['id']}")).text
    assert "Not set among" not in shown
    entry = (await api.ask("GET", "/v1/audit")).json()["entries"][0]
    assert (entry["action"], entry["target"], entry["actor_name"]) == ("data_source.create", one["id"], "ada")


INFOS: list[dict[str, Any]] = [
    {"s3": {"bucket": "b", "paths": ["k"], "format": "jsonl", "secret_name": "S3"}},
    {"csv": {"paths": ["p"], "delimiter": "\t", "io": {"s3": {"anonymous": True, "region": "eu"}}}},
    {"csv": {"paths": ["two\nlines"], "delimiter": " "}},
    {"parquet": {"paths": [" p "], "io": {"http": {}}}},
    {"deltalake": {"uri": "s3://b/t", "version": 3}},
    {"deltalake": {"uri": "s3://b/t", "version": "3"}},
    {"sql": {"query": "\nSELECT 1\n  FROM t", "url": "sqlite://"}},
    {"sql": {"query": "SELECT 1\nFROM t WHERE a < 'b'", "url": "sqlite://"}},
    {"kafka": {"bootstrap_servers": ["k:1"], "topics": ["t"], "partitions": [0, 2], "config": {"a": "b=c"}}},
    {"kafka": {"bootstrap_servers": ["k:1"], "topics": ["t"], "config": {"a=b": "c", "d": "e\nf"}}},
    {"video_frames": {"paths": ["p"], "image_height": 4, "image_width": 5, "sample_interval_seconds": 0.25}},
]


async def test_a_form_that_nobody_touched_changes_nothing(api: ApiServer) -> None:
    for number, info in enumerate(INFOS):
        one = await add(api, info, name=f"it-{number}")
        ada, page = browser(api), f"{SOURCES}/{one}"
        for form in ("", "?form=json"):
            text = (await ada.get(f"{page}/edit{form}")).text
            sent = filled_in(text.partition('<form class="card"')[2])
            sent = {name: value.replace("\n", "\r\n") for name, value in sent.items()}
            answer = await ada.send(page, sent)
            assert (answer.status_code, answer.headers.get("location")) == (303, page), answer.text
            assert (await api.ask("GET", f"{BASE}/demo/data-sources/{one}")).json()["info"] == info


async def test_everything_that_is_wrong_is_told_beside_its_field(api: ApiServer) -> None:
    ada, field = browser(api), "info.parquet."
    asked = {
        "name": f"-{EVIL}",
        f"{field}paths": "kept\npostgresql://u:hunter2@h/d",
        f"{field}io.s3.num_tries": "many",
        f"{field}io.s3.endpoint": EVIL,
        f"{field}ignore_corrupt_files": "perhaps",
    }
    answer = await ada.submit(f"{SOURCES}/new?kind=parquet", SOURCES, asked)
    assert answer.status_code == 400
    for wrong in ("name", *(f"{field}{one}" for one in ("io.s3.num_tries", "io.s3.endpoint"))):
        assert f'id="wrong-{wrong}"' in answer.text, wrong
    assert 'value="many"' in answer.text
    assert "<script>" not in answer.text
    assert "kept" in answer.text
    assert "hunter2" not in answer.text
    again = await ada.submit(f"{SOURCES}/new?kind=parquet", SOURCES, {"name": "n", f"{field}paths": ""})
    assert f'id="wrong-{field}paths"' in again.text
    assert await kept(api) == []


CATALOG_ISSUES = [
    ("iceberg", {"properties": "uri=x\nno pair"}, "properties", ""),
    ("iceberg", {"properties": "uri=kept\ns3.secret-access-key=hunter2"}, "properties", "hunter2"),
    ("postgres", {"url": "postgresql://u:hunter2@h/d"}, "url", "hunter2"),
    ("unity", {"endpoint": "file:///etc"}, "endpoint", ""),
    ("paimon", {"options": ""}, "options", ""),
]


async def test_a_catalog_names_its_credentials(api: ApiServer) -> None:
    for kind, given, wrong, lost in CATALOG_ISSUES:
        fields = {f"info.{kind}.{name}": value for name, value in given.items()}
        page = f"{CATALOGS}/new?kind={kind}"
        answer = await browser(api).submit(page, CATALOGS, {"name": "lake", **fields})
        assert (answer.status_code, f'id="wrong-info.{kind}.{wrong}"' in answer.text) == (400, True), given
        assert 'value="lake"' in answer.text
        assert not lost or lost not in answer.text
    assert await kept(api, "catalogs") == []


JSON_ISSUES = [
    ("{", "{"),
    ("[1]", "[1]"),
    ('{"gopher": {}}', "gopher"),
    ('{"iceberg": {"properties": {"token": "hunter2", "uri": "kept"}}}', "kept"),
    ('{"iceberg": {"properties": {"uri": "pg://u:hunter2@h/d"}, "name": "kept"}}', "kept"),
    ('{"iceberg": {\n"uri": "pg://u:hunter2@h/d",\n"name": "kept"', "kept"),
    ("[" * 100_000, "[[["),
]


async def test_json_that_is_refused_comes_back_without_its_credentials(api: ApiServer) -> None:
    page = f"{CATALOGS}/new?form=json"
    for text, shown in JSON_ISSUES:
        answer = await browser(api).submit(page, CATALOGS, {"name": "lake", "info": text})
        assert (answer.status_code, 'id="wrong-info"' in answer.text) == (400, True), text
        assert shown in unescape(answer.text)
        assert "hunter2" not in answer.text
    good = {"name": "lake", "info": '{"iceberg": {"properties": {"uri": "u"}}}'}
    assert (await browser(api).submit(page, CATALOGS, good)).status_code == 303
    taken = await browser(api).submit(page, CATALOGS, good)
    assert (taken.status_code, 'id="wrong-name"' in taken.text) == (409, True)
    assert len(await kept(api, "catalogs")) == 1


async def test_one_is_renamed_given_another_kind_and_deleted(api: ApiServer) -> None:
    one, ada = await add(api, {"text": {"paths": ["p"]}}), browser(api)
    page = f"{SOURCES}/{one}"
    edit = await ada.get(f"{page}/edit?kind=hudi")
    assert 'name="info.hudi.uri"' in edit.text
    changed = await ada.submit(f"{page}/edit?kind=hudi", page, {"name": "new", "info.hudi.uri": "s3://b/t"})
    assert changed.headers["location"] == page
    assert [(it["id"], it["name"], it["info"]) for it in await kept(api)] == [
        (one, "new", {"hudi": {"uri": "s3://b/t"}})
    ]
    assert "hudi" in (await ada.get(f"{SOURCES}/new")).text  # the page, not the source of that name
    deleted = await ada.submit(page, f"{page}/delete")
    assert (deleted.headers["location"], await kept(api)) == (SOURCES, [])
    assert (await ada.get(page)).status_code == 404
    actions = [entry["action"] for entry in (await api.ask("GET", "/v1/audit")).json()["entries"][:2]]
    assert actions == ["data_source.delete", "data_source.replace"]


async def told(api: ApiServer, run: dict[str, Any], value: object) -> None:
    await run_on(api, run, b"")
    result = RunResult(kind="json", value=msgspec.Raw(msgspec.json.encode(value)))
    await api.services.outcomes._reports.put_result(run["id"], result)
    await end(api, run, Verdict(status=RunStatus.SUCCEEDED))


async def test_a_check_is_started_and_tells_what_is_there(api: ApiServer) -> None:
    one = await add(api, {"csv": {"paths": ["p"], "io": {"s3": {"secret_name": "NOT_SET"}}}})
    ada, page = browser(api), f"{SOURCES}/{one}"
    before = (await ada.get(page)).text
    assert "none lately" in before
    assert f'href="{DEMO}/secrets?name=NOT_SET"' in before
    refused = await ada.submit(page, f"{page}/check", {"environment.dependencies": "???", "timeout_s": "-1"})
    assert (refused.status_code, "???" in refused.text, 'value="-1"' in refused.text) == (400, True, True)
    assert 'role="alert"' in refused.text
    started = await ada.submit(page, f"{page}/check", {"environment.dependencies": "deltalake"})
    assert (started.status_code, started.headers["location"]) == (303, page)
    (run,) = (await api.ask("GET", f"{BASE}/demo/runs")).json()["runs"]
    assert (run["trigger"], run["environment"]["dependencies"]) == ("check", ["deltalake"])
    waiting = (await ada.get(page)).text
    assert f'href="/~/{run["id"]}"' in waiting
    assert 'id="check" every="2"' in waiting
    columns = [{"name": EVIL, "type": "Utf8"}]
    await told(api, run, {"ok": True, "columns": columns, "rows_seen": 0})
    done = (await ada.get(page)).text
    for text in ("opens", "Utf8", "not a row", 'id="check" every="0"', unescaped(EVIL)):
        assert text in done
    assert "<script>" not in done
    assert "opens" in (await ada.get(SOURCES)).text


def unescaped(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")


async def test_whatever_a_check_tells_can_do_nothing(api: ApiServer) -> None:
    error = {"type": "ValueError", "reason": EVIL}
    for number, (value, text) in enumerate(
        (
            ({"ok": False, "error": error}, "does not open"),
            ({"ok": True, "namespaces": [EVIL], "tables": ["a.b"], "more": True}, "There are more"),
            (EVIL, "without telling"),
            ({"ok": [], "columns": 5}, "without telling"),
        )
    ):
        one = await add(api, {"iceberg": {}}, name=f"it-{number}", where="catalogs")
        answer = await api.ask("POST", f"{BASE}/demo/catalogs/{one}/check", json={})
        await told(api, answer.json()["run"], value)
        page = (await browser(api).get(f"{CATALOGS}/{one}")).text
        assert text in page
        assert "<script>" not in page


async def test_viewers_look_runners_check_and_nobody_forges(api: ApiServer) -> None:
    one = await add(api, {"text": {"paths": ["p"]}})
    for name, role in (("eve", Role.VIEWER), ("rob", Role.RUNNER)):
        await with_person(api, name, role)
    page, ada = f"{SOURCES}/{one}", browser(api)
    forms = (("", 403), (f"/{one}", 403), (f"/{one}/delete", 403), (f"/{one}/check", 403))
    for path, status in forms:
        sent = await ada.send(f"{SOURCES}{path}", {"csrf_token": "x", "kind": "text", "name": "n"})
        assert sent.status_code == status, path
    for name, may_check in (("eve", False), ("rob", True)):
        await ada.sign_in(name)
        shown = (await ada.get(page)).text
        assert (f'action="{page}/check"' in shown, "/delete" in shown) == (may_check, False)
        assert "New data source" not in (await ada.get(SOURCES)).text
        assert (await ada.get(f"{page}/edit")).status_code == 403
        token = (await api.http.get("/v1/auth/session")).json()["csrf_token"]
        for path in ("", f"/{one}", f"/{one}/delete"):
            assert (await ada.send(f"{SOURCES}{path}", {"csrf_token": token})).status_code == 403
        checked = await ada.send(f"{page}/check", {"csrf_token": token})
        assert checked.status_code == (303 if may_check else 403)
    assert len(await kept(api)) == 1
