"""Requests to the head of a Ray cluster: with its token, with time limits, and with daftray's own errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from daftray.adapters.rayjobs.errors import raise_for, translated

_CONNECTIONS = httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=30)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Seconds that each kind of call may wait: for a connection, and then for each read or write."""

    connect_s: float = 3.0
    read_s: float = 10.0
    submit_s: float = 30.0
    upload_s: float = 120.0

    def of(self, read_s: float) -> httpx.Timeout:
        """Return httpx's form of them."""
        return httpx.Timeout(connect=self.connect_s, read=read_s, write=read_s, pool=read_s)


class Rest:
    """One head. ``client`` carries the token; so do ``headers``, for what is no HTTP."""

    def __init__(
        self, url: str, *, token: str | None, transport: httpx.AsyncBaseTransport | None, timeouts: Timeouts
    ) -> None:
        self.url = url.rstrip("/")
        self.timeouts = timeouts
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.client = httpx.AsyncClient(
            headers=self.headers,
            transport=transport,
            timeout=timeouts.of(timeouts.read_s),
            limits=_CONNECTIONS,
            # A proxy of the environment never leads to a head on this machine.
            trust_env=urlsplit(self.url).hostname not in _LOOPBACK,
        )

    async def get(
        self,
        path: str,
        *,
        job: str | None = None,
        query: Mapping[str, str | int] | None = None,
        read_s: float | None = None,
    ) -> bytes:
        """Return what is at a path. ``read_s`` is how long it may take, where that is longer than usual.

        Raises:
            JobNotFoundError: there is no such ``job``.
            ClusterUnreachableError: no answer came in time.
            ClusterRefusedError: any other answer than success.
        """
        return await self.call("GET", path, job=job, query=query, read_s=read_s)

    async def call(
        self,
        method: str,
        path: str,
        *,
        job: str | None = None,
        query: Mapping[str, str | int] | None = None,
        read_s: float | None = None,
    ) -> bytes:
        """Return what is answered to a request without a body. Raises what `get` does."""
        with translated(self.url):
            timeout = self.timeouts.of(read_s or self.timeouts.read_s)
            answer = await self.client.request(method, self.url + path, params=query, timeout=timeout)
        raise_for(answer, self.url, job=job)
        return answer.content

    async def aclose(self) -> None:
        """Close the connections."""
        await self.client.aclose()
