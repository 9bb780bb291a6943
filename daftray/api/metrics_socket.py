"""Metrics of runs as they change, over a WebSocket, as Daft Cloud's client takes them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
from litestar import Router, WebSocket, websocket
from litestar.di import NamedDependency
from litestar.exceptions import WebSocketDisconnect
from litestar.params import SkipValidation

from daftray.api.auth import place_of, viewer
from daftray.api.scope import PROJECT
from daftray.domain.errors import ProjectNotFoundError
from daftray.runs.metrics_stream import MetricsEnd, MetricsFollower
from daftray.runs.service import Runs

ENDED = 1000
STOPPING = 1001
"""Close codes (RFC 6455): the run has ended, and the server goes away while it goes on."""

# Litestar's generic parameters (user, auth, state) add nothing here.
Socket = WebSocket[Any, Any, Any]


@websocket("/metrics/tail", guards=[viewer])
async def tail_metrics(
    socket: Socket,
    run_service: NamedDependency[SkipValidation[Runs]],
    metrics_follower: NamedDependency[SkipValidation[MetricsFollower]],
) -> None:
    """Send the metrics as a JSON text, now and whenever they have changed, until the run ends.

    Whoever may not see the run is refused at the handshake, as where there is no such run. The reason of the
    close is the final status; another close is not the run's end.
    """
    home = (await place_of(socket)).project
    if home is None:
        raise ProjectNotFoundError
    run = await run_service.get(home, socket.path_params["run"])
    await socket.accept()
    sending = asyncio.create_task(_send_all(socket, metrics_follower, run.id))
    leaving = asyncio.create_task(_until_left(socket))
    await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    for task in (sending, leaving):
        task.cancel()
    await asyncio.gather(sending, leaving, return_exceptions=True)


async def _send_all(socket: Socket, follower: MetricsFollower, run_id: str) -> None:
    code, reason = STOPPING, "the server stops"
    with suppress(OSError, WebSocketDisconnect):  # the client has left
        async for part in follower.follow(run_id):
            if isinstance(part, MetricsEnd):
                code, reason = ENDED, part.status.value
            elif part is not None:  # pings tell that we are there
                await socket.send_text(msgspec.json.encode(part).decode())
        await socket.close(code=code, reason=reason)


async def _until_left(socket: Socket) -> None:
    """Wait until the client closes; what it says meanwhile means nothing."""
    with suppress(WebSocketDisconnect):
        while True:
            await socket.receive_data(mode="text")


router = Router(PROJECT + "/runs/{run:str}", route_handlers=[tail_metrics], tags=["outcomes"])
