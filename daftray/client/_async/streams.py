"""Answers that come piece by piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from daftray.client._async.connection import AsyncConnection, Parameters, refusal, unreachable


@asynccontextmanager
async def open_stream(
    connection: AsyncConnection,
    path: str,
    *,
    parameters: Parameters = (),
    accept: str = "*/*",
    silence_s: float | None = None,
) -> AsyncGenerator[httpx.Response]:
    """Open an answer that is read piece by piece. ``silence_s`` is how long it may say nothing.

    Raises:
        DaftrayError: what the server answered; `ServerUnreachableError` also when the stream breaks.
    """
    timeout = connection.http.timeout
    if silence_s is not None:
        timeout = httpx.Timeout(**{**timeout.as_dict(), "read": silence_s})
    try:
        async with connection.http.stream(
            "GET", path, params=list(parameters), headers={"Accept": accept}, timeout=timeout
        ) as response:
            if not response.is_success:
                await response.aread()
                raise refusal(response)
            yield response
    except httpx.TransportError as exc:
        raise unreachable(connection.address, exc) from exc
