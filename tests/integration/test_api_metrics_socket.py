"""Metrics over a WebSocket: a real server, and a client that authenticates as Daft Cloud's does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from api_over_http import api_over_http
from api_server import BASE, ApiServer
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

PATIENCE_S = 60


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        yield server


def socket(api: ApiServer, run: str, *, key: str | None = "viewer") -> connect:
    url = str(api.http.base_url).rstrip("/").replace("http", "ws", 1)
    headers = {"Authorization": f"Bearer {api.keys.get(key, key)}"} if key else {}
    return connect(f"{url}{BASE}/demo/runs/{run}/metrics/tail", additional_headers=headers, proxy=None)


async def said(client: ClientConnection) -> dict[str, object]:
    message = await asyncio.wait_for(client.recv(), PATIENCE_S)
    assert isinstance(message, str)
    return json.loads(message)


async def test_a_message_comes_at_once_and_is_what_get_answers(api: ApiServer) -> None:
    run = await api.create_run()
    metrics = (await api.ask("GET", f"{BASE}/demo/runs/{run['id']}/metrics")).json()
    async with socket(api, run["id"]) as client:
        first = await said(client)
        assert first.keys() == metrics.keys()
        assert first["requests"] == metrics["requests"]


async def test_the_server_does_not_wait_for_followers(api: ApiServer) -> None:
    run = await api.create_run()
    async with socket(api, run["id"]) as client:
        await said(client)
        api.services.metrics_follower._stopping.set()
        with pytest.raises(ConnectionClosed):
            await said(client)
        assert client.close_code == 1001


async def test_whoever_may_not_see_the_run_is_refused_as_where_there_is_none(api: ApiServer) -> None:
    run = await api.create_run()
    for of, key in ((run["id"], "stranger"), (run["id"], None), (run["id"], "wrong"), ("run_none", "viewer")):
        with pytest.raises(InvalidStatus) as refused:
            async with socket(api, of, key=key):
                pass
        assert refused.value.response.status_code == 403
