"""Requests to the provider: with time limits, bounded answers, and daftray's own errors."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from daftray.domain.errors import IdentityProviderError, IdentityProviderUnreachableError

LARGEST_ANSWER = 1024 * 1024
_TIMEOUT = httpx.Timeout(10, connect=5)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
Answer = TypeVar("Answer")


class Connections:
    """Makes clients for the requests of one sign-in. They follow no redirects: these paths have none."""

    def __init__(self, issuer: str) -> None:
        # A proxy of the environment never leads to a provider on this machine.
        self._trust_env = urlsplit(issuer).hostname not in _LOOPBACK
        self._tls: ssl.SSLContext | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[httpx.AsyncClient]:
        """Give a client, whose connections end after it."""
        if self._tls is None:  # to read the machine's certificates takes a while: once is enough
            self._tls = await asyncio.to_thread(httpx.create_ssl_context, trust_env=self._trust_env)
        async with httpx.AsyncClient(
            timeout=_TIMEOUT, trust_env=self._trust_env, follow_redirects=False, verify=self._tls
        ) as client:
            yield client


async def document(
    client: httpx.AsyncClient, url: str, kind: type[Answer], *, bearer: str | None = None
) -> Answer:
    """Return the JSON document at an address. Raises what `OpenIdProvider.authorization_url` does."""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    with translated(url):
        status, body = await _bounded(client, client.build_request("GET", url, headers=headers))
    if status != HTTPStatus.OK:
        raise_unavailable(status, url)
        raise IdentityProviderError(f"The OpenID provider answers {url} with {status}: is the issuer right?")
    return decoded(body, url, kind)


async def posted(
    client: httpx.AsyncClient, url: str, fields: Mapping[str, str], *, auth: tuple[str, str] | None
) -> tuple[int, bytes]:
    """Return the status and body of the answer to a form. ``auth`` is sent by HTTP's Basic scheme."""
    with translated(url):
        request = client.build_request("POST", url, data=fields, headers={"Accept": "application/json"})
        return await _bounded(client, request, auth=auth)


def decoded(body: bytes, url: str, kind: type[Answer]) -> Answer:
    """Return a body as what it has to be. Raises `IdentityProviderError`."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError):  # its message might quote what came
        raise IdentityProviderError(
            f"The answer of the OpenID provider at {url} is not what it should be."
        ) from None


def raise_unavailable(status: int, url: str) -> None:
    """Raise `IdentityProviderUnreachableError` where a status says that the provider has trouble."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise IdentityProviderUnreachableError(f"The OpenID provider answers {url} with {status}: try later.")


@contextmanager
def translated(url: str) -> Generator[None]:
    """Turn what httpx raises into daftray's own errors."""
    try:
        yield
    except httpx.TimeoutException as exc:
        raise IdentityProviderUnreachableError(
            f"The OpenID provider does not answer in time: {url}."
        ) from exc
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise IdentityProviderUnreachableError(
            f"The OpenID provider cannot be reached ({type(exc).__name__}): {url}."
        ) from exc


async def _bounded(
    client: httpx.AsyncClient, request: httpx.Request, *, auth: tuple[str, str] | None = None
) -> tuple[int, bytes]:
    answer = await client.send(request, stream=True, auth=httpx.BasicAuth(*auth) if auth else None)
    try:
        body = bytearray()
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > LARGEST_ANSWER:
                raise IdentityProviderError("The OpenID provider's answer is too large.")
        return answer.status_code, bytes(body)
    finally:
        await answer.aclose()
