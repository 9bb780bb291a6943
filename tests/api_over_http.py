"""The HTTP interface as callers meet it: on a socket, behind the web server that daftray uses."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Generator
from dataclasses import replace
from pathlib import Path

import httpx
import uvicorn
from api_server import ApiServer, api_server

from daftray.server.app import create_app

START_TIMEOUT_S = 30


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none: they are pytest's."""
        yield


@contextlib.asynccontextmanager
async def api_over_http(folder: Path) -> AsyncGenerator[ApiServer]:
    """Wire it all in a folder and serve it on loopback; the reconciler does not run."""
    async with api_server(folder) as inside:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        server = _Server(uvicorn.Config(create_app(inside.services), log_config=None, access_log=False))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            async with httpx.AsyncClient(base_url=url, timeout=START_TIMEOUT_S) as http:
                yield replace(inside, http=http)
        finally:
            server.should_exit = True
            await serving
            listener.close()
