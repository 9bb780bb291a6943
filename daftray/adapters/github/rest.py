"""Requests to GitHub as an App: signed, with time limits, bounded answers, and daftray's own errors.

An App speaks for itself by a JSON Web Token under its private key, of at most ten minutes (GitHub's document
"Generating a JSON Web Token (JWT) for a GitHub App").
"""

from __future__ import annotations

import asyncio
import ssl
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx
import jwt

from daftray.domain.errors import InvalidInputError, SourceDeniedError, SourceUnavailableError
from daftray.domain.ports import Clock

LIFETIME_S, BACKDATED_S = 540, 60
"""How long an App's own token is good, and how much older it is made than it is: clocks differ."""
LARGEST_ANSWER = 1024 * 1024
_TIMEOUT = httpx.Timeout(10, connect=5)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_VERSION = "2022-11-28"


class AppRest:
    """Asks as an App. Raises `InvalidInputError` where the key is no RSA private key in PEM form."""

    def __init__(self, api_url: str, *, app_id: str, private_key: str, clock: Clock) -> None:
        self.url = api_url.rstrip("/")
        self._app_id = app_id
        self._clock = clock
        # A proxy of the environment never leads to a server on this machine.
        self._trust_env = urlsplit(self.url).hostname not in _LOOPBACK
        self._tls: ssl.SSLContext | None = None
        self._private_key = private_key
        try:
            self._signed({})
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):  # their messages may quote it
            raise InvalidInputError(
                "The GitHub App's private key is no RSA key in PEM form: give the file that GitHub made."
            ) from None

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """Return status and body of an answer, which is a success or says that there is no such thing.

        Raises:
            SourceUnavailableError: no answer came in time, or GitHub asks to try later.
            SourceDeniedError: the App is not taken for who it is.
        """
        if self._tls is None:  # to read the machine's certificates takes a while: once is enough
            self._tls = await asyncio.to_thread(httpx.create_ssl_context, trust_env=self._trust_env)
        headers = {
            "Authorization": f"Bearer {self._token()}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": _VERSION,
        }
        try:
            async with httpx.AsyncClient(
                timeout=_TIMEOUT, trust_env=self._trust_env, follow_redirects=False, verify=self._tls
            ) as client:
                request = client.build_request(method, self.url + path, json=body, headers=headers)
                return await self._answered(client, request)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise SourceUnavailableError(
                f"GitHub's API at {self.url} cannot be reached ({type(exc).__name__}): try later."
            ) from exc

    async def _answered(self, client: httpx.AsyncClient, request: httpx.Request) -> tuple[int, bytes]:
        answer = await client.send(request, stream=True)
        try:
            _raise_for(answer, self.url)
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > LARGEST_ANSWER:
                    raise SourceUnavailableError(f"The answer of GitHub's API at {self.url} is too large.")
            return answer.status_code, bytes(body)
        finally:
            await answer.aclose()

    def _token(self) -> str:
        now = int(self._clock.now().timestamp())
        claims: dict[str, int | str] = {
            "iat": now - BACKDATED_S,
            "exp": now + LIFETIME_S,
            "iss": self._app_id,
        }
        return self._signed(claims)

    def _signed(self, claims: dict[str, int | str]) -> str:
        return jwt.encode(claims, self._private_key, algorithm="RS256")


def _raise_for(answer: httpx.Response, url: str) -> None:
    status = answer.status_code
    # GitHub says by 403 as well that it was asked too often, and by these headers that it means that.
    spent = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    busy = status == HTTPStatus.TOO_MANY_REQUESTS or (status == HTTPStatus.FORBIDDEN and spent)
    if busy or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SourceUnavailableError(f"GitHub's API at {url} answers {status}: try later.")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise SourceDeniedError(
            f"GitHub does not take this server for its App ({status}): its operator has to look at "
            "DAFTRAY_GITHUB_APP_ID and the private key."
        )
