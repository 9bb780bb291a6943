"""The HTTP interface and what is sent to it in bad faith: each time a plain refusal, and never a defect."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from api_server import BASE, ApiServer, api_server

RUNS = f"{BASE}/demo/runs"
JSON = {"Content-Type": "application/json"}
DEEP = b"[" * 300_000
MARKUP = b"<script>alert(1)</script>"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        yield server


async def test_a_body_that_is_nested_without_end_is_a_bad_request(api: ApiServer) -> None:
    run = await api.create_run()
    token = api.token(run)
    result = b'{"kind":"json","value":' + DEEP
    for path, key, body in (
        (RUNS, "runner", DEEP),
        (f"{RUNS}/{run['id']}/rerun", "runner", DEEP),
        (BASE, "admin", DEEP),
        (f"/v1/ingest/runs/{run['id']}/result", token, result),
        ("/v1/ingest/otlp/v1/metrics", token, DEEP),
    ):
        answer = await api.ask("POST", path, key=key, content=body, headers=JSON)
        assert answer.status_code == 400, path
        assert answer.json()["type"] == "invalid-input"


async def test_a_body_without_a_length_is_bounded_as_well(api: ApiServer) -> None:
    token = api.token(await api.create_run())

    async def pieces() -> AsyncGenerator[bytes]:
        for _ in range(11):
            yield bytes(1 << 20)

    answer = await api.ask("POST", "/v1/ingest/otlp/v1/metrics", key=token, content=pieces())
    assert answer.status_code == 413


@pytest.mark.parametrize("key", ["drk.\0.x", "drk..", "drt.x.1.y", "drt." + "a" * 50_000, "", "drk.ÿ.ÿ"])
async def test_a_key_of_any_form_is_only_refused(api: ApiServer, key: str) -> None:
    headers = {b"Authorization": f"Bearer {key}".encode("latin-1")}
    answer = await api.http.get(f"{BASE}/demo", headers=headers)
    assert answer.status_code == 401


async def test_no_page_of_another_origin_is_let_in(api: ApiServer) -> None:
    origin = {"Origin": "https://evil.example", "Host": "evil.example"}
    asked = {
        **origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    for answer in (
        await api.ask("OPTIONS", f"{BASE}/demo", key=None, headers=asked),
        await api.ask("GET", f"{BASE}/demo", headers=origin),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert (await api.ask("GET", f"{BASE}/demo", key=None, headers=origin)).status_code == 401


async def test_no_browser_shows_what_a_run_returned_as_a_page(api: ApiServer) -> None:
    run = await api.create_run()
    path, token = f"/v1/ingest/runs/{run['id']}/result", api.token(run)
    result = {"kind": "artifact", "attempt": 1, "data": True, "media_type": "text/html\r\nX-Evil: 1"}
    assert (await api.ask("PUT", f"{path}/data", key=token, content=MARKUP)).status_code == 204
    assert (await api.ask("POST", path, key=token, json=result)).status_code == 204
    answer = await api.ask("GET", f"{RUNS}/{run['id']}/results/download")
    assert answer.content == MARKUP
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "x-evil" not in answer.headers
