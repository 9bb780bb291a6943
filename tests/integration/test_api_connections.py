"""Data sources and catalogs over HTTP, down to the database."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_server import BASE, ApiServer, api_server

DEMO = f"{BASE}/demo"
S3: dict[str, Any] = {"bucket": "b", "paths": ["orders/*.parquet"], "format": "parquet", "secret_name": "S3"}
STARTED = {"attempt": 1, "pid": 1, "host": "h", "python_version": "3.12.1", "at": "2026-11-01T12:00:00Z"}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        yield server


async def add(api: ApiServer, name: str, info: dict[str, Any], *, where: str = "data-sources") -> Any:
    answer = await api.ask("POST", f"{DEMO}/{where}", json={"name": name, "info": info})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_data_source_is_as_daft_clouds_client_reads_it(api: ApiServer) -> None:
    made = await add(api, "orders", {"s3": {**S3, "region": None}, "supabase_storage": None})
    assert made["info"] == {"s3": S3}
    assert made["id"].startswith("src_")
    assert made["created_at"] == made["updated_at"]
    for named in ("orders", made["id"]):
        assert (await api.ask("GET", f"{DEMO}/data-sources/{named}", key="viewer")).json() == made
    page = (await api.ask("GET", f"{DEMO}/data-sources", key="viewer")).json()
    assert page == {"data_sources": [made], "page": 1, "page_size": 50}
    absent = await api.ask("GET", f"{DEMO}/data-sources/none")
    assert (absent.status_code, absent.json()["type"]) == (404, "data-source-not-found")


async def test_a_catalog_has_routes_of_its_own(api: ApiServer) -> None:
    made = await add(api, "main", {"supabase": {"secret_name": "SUPABASE"}}, where="catalogs")
    assert (made["id"][:4], made["info"]) == ("cat_", {"supabase": {"secret_name": "SUPABASE"}})
    assert (await api.ask("GET", f"{DEMO}/catalogs")).json()["catalogs"] == [made]
    absent = await api.ask("GET", f"{DEMO}/catalogs/none")
    assert (absent.status_code, absent.json()["type"]) == (404, "catalog-not-found")
    assert (await api.ask("GET", f"{DEMO}/data-sources/{made['id']}")).status_code == 404


async def test_one_is_replaced_and_deleted(api: ApiServer) -> None:
    made = await add(api, "orders", {"s3": S3})
    await add(api, "other", {"s3": S3})
    path = f"{DEMO}/data-sources/orders"
    body = {"name": "events", "info": {"kafka": {"bootstrap_servers": ["k:9092"], "topics": ["t"]}}}
    changed = (await api.ask("PUT", path, json=body)).json()
    assert (changed["id"], changed["name"], changed["info"]) == (made["id"], "events", body["info"])
    assert changed["created_at"] == made["created_at"] < changed["updated_at"]
    taken = await api.ask("PUT", f"{DEMO}/data-sources/events", json={**body, "name": "other"})
    assert (taken.status_code, taken.json()["type"]) == (409, "name-taken")
    assert (await api.ask("DELETE", f"{DEMO}/data-sources/events")).status_code == 204
    assert (await api.ask("DELETE", f"{DEMO}/data-sources/events")).status_code == 404


async def test_every_mistake_is_told_with_its_path(api: ApiServer) -> None:
    info = {
        "s3": {"bucket": "a/b", "path": ["x"], "format": "xls", "secret_name": "no name", "region": 5},
        "gopher": {},
    }
    answer = await api.ask("POST", f"{DEMO}/data-sources", json={"name": "-", "info": info, "note": 1})
    assert answer.status_code == 400
    found = {issue["path"]: issue["message"] for issue in answer.json()["errors"]}
    assert found.keys() == {
        "name",
        "note",
        "info.gopher",
        "info.s3.bucket",
        "info.s3.path",
        "info.s3.paths",
        "info.s3.format",
        "info.s3.secret_name",
        "info.s3.region",
    }
    assert "did you mean paths?" in found["info.s3.path"]


@pytest.mark.parametrize(
    ("where", "info", "path"),
    [
        ("data-sources", {}, "info"),
        ("data-sources", {"s3": S3, "text": {"paths": ["p"]}}, "info"),
        ("data-sources", {"parquet": {"paths": []}}, "info.parquet.paths"),
        ("data-sources", {"csv": {"paths": ["p", ""]}}, "info.csv.paths[1]"),
        ("data-sources", {"sql": {"query": "SELECT 1"}}, "info.sql"),
        ("data-sources", {"sql": {"query": "q", "url": "postgresql://u:pw@h/d"}}, "info.sql.url"),
        ("data-sources", {"json": {"paths": ["https://h/x?X-Amz-Signature=1"]}}, "info.json.paths[0]"),
        (
            "data-sources",
            {"parquet": {"paths": ["p"], "io": {"s3": {"anonymous": True, "secret_name": "S"}}}},
            "info.parquet.io.s3",
        ),
        ("catalogs", {"iceberg": {"properties": {"s3.secret-access-key": "x"}}}, "s3.secret-access-key"),
        (
            "catalogs",
            {"iceberg": {"properties": {"uri": "postgresql://u:p@h/d"}}},
            "info.iceberg.properties.uri",
        ),
        ("catalogs", {"unity": {"endpoint": "file:///etc"}}, "info.unity.endpoint"),
        ("catalogs", {"postgres": {}}, "info.postgres"),
    ],
)
async def test_what_is_not_valid_is_refused_with_its_place(
    api: ApiServer, where: str, info: dict[str, Any], path: str
) -> None:
    answer = await api.ask("POST", f"{DEMO}/{where}", json={"name": "n", "info": info})
    assert answer.status_code == 400, answer.text
    assert any(path in issue["path"] for issue in answer.json()["errors"]), answer.text


async def test_only_admins_change_and_only_runners_check(api: ApiServer) -> None:
    await add(api, "orders", {"s3": S3})
    body = {"name": "n", "info": {"s3": S3}}
    for key, status in (("viewer", 403), ("runner", 403), ("stranger", 404), (None, 401)):
        for method, path in (("POST", ""), ("PUT", "/orders"), ("DELETE", "/orders")):
            answer = await api.ask(method, f"{DEMO}/data-sources{path}", key=key, json=body)
            assert answer.status_code == status, (key, method, answer.text)
    refused = await api.ask("POST", f"{DEMO}/data-sources/orders/check", key="viewer", json={})
    assert refused.status_code == 403


async def test_a_check_is_a_run_without_a_source(api: ApiServer) -> None:
    made = await add(api, "orders", {"s3": S3})
    answer = await api.ask(
        "POST",
        f"{DEMO}/data-sources/orders/check",
        key="runner",
        json={"environment": {"dependencies": ["deltalake"]}, "timeout_s": 60},
    )
    assert answer.status_code == 202, answer.text
    run = answer.json()["run"]
    assert (run["trigger"], run["runner"], run["source"], run["timeout_s"]) == ("check", "native", {}, 60)
    assert run["environment"]["dependencies"] == ["deltalake"]
    assert run["entrypoint"]["function"]["kwargs"] == {"name": made["id"]}
    bad = await api.ask("POST", f"{DEMO}/data-sources/orders/check", json={"source": {}})
    assert bad.json()["errors"][0]["path"] == "source"
    assert (await api.ask("POST", f"{DEMO}/data-sources/none/check", json={})).status_code == 404


async def test_a_run_is_told_its_projects_connections_and_no_others(api: ApiServer) -> None:
    source = await add(api, "orders", {"s3": S3})
    catalog = await add(api, "main", {"supabase": {"secret_name": "X"}}, where="catalogs")
    other = {"name": "other", "source": {"git": {"remote": api.repo.url}}}
    assert (await api.ask("POST", BASE, json=other)).status_code == 201
    theirs = {"name": "theirs", "info": {"s3": S3}}
    assert (await api.ask("POST", f"{BASE}/other/data-sources", json=theirs)).status_code == 201
    run = await api.create_run()
    path = f"/v1/ingest/runs/{run['id']}/connections"
    answer = await api.ask("GET", path, key=api.token(run))
    assert answer.json() == {"data_sources": [source], "catalogs": [catalog]}
    assert (await api.ask("GET", path, key="admin")).status_code == 403


async def test_a_checks_result_holds_no_secret(api: ApiServer) -> None:
    await add(api, "orders", {"s3": S3})
    secret = '{"access_key_id": "AKIACANARY0000000001", "secret_access_key": "canary/secret+key=="}'
    assert (await api.ask("PUT", f"{DEMO}/secrets/S3", json={"value": secret})).status_code == 200
    answer = await api.ask("POST", f"{DEMO}/data-sources/orders/check", json={})
    run = answer.json()["run"]
    told = {"ok": False, "error": {"reason": "AKIACANARY0000000001 and canary/secret+key== were refused"}}
    token = api.token(run)
    started = await api.ask("POST", f"/v1/ingest/runs/{run['id']}/started", key=token, json=STARTED)
    assert started.status_code == 200, started.text
    reported = await api.ask(
        "POST",
        f"/v1/ingest/runs/{run['id']}/result",
        key=token,
        json={"kind": "json", "attempt": 1, "value": told},
    )
    assert reported.status_code == 204, reported.text
    shown = (await api.ask("GET", f"{DEMO}/runs/{run['id']}/results")).text
    assert "were refused" in shown
    assert "CANARY" not in shown
    assert "canary" not in shown


async def test_connections_go_with_their_project(api: ApiServer) -> None:
    await add(api, "orders", {"s3": S3})
    assert (await api.ask("DELETE", DEMO)).status_code == 204
    assert (await api.ask("GET", f"{DEMO}/data-sources")).status_code == 404
