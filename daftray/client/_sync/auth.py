# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""Requests of a program that a person signed in: each with an access token that is good for a while yet."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus

import httpx
import msgspec

from daftray.client._sync.pause import pause
from daftray.client.errors import AnswerNotUnderstoodError, error_from
from daftray.client.file_lock import LONGEST_WAIT_S, RETRY_S
from daftray.client.signed_in import SignIn, ends_soon
from daftray.domain.session import Tokens

REFRESH_PATH = "/v1/auth/refresh"
_REFRESH_TIMEOUT_S = 30.0
"""Shorter than others wait for the lock."""


class SignedIn(httpx.Auth):
    """Puts the access token on each request, and changes it in time, or once where the server refuses it."""

    def __init__(self, sign_in: SignIn, base_url: str) -> None:
        self._sign_in = sign_in
        self._base_url = base_url

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Yield a request to send, ask for other tokens before or after it where that is needed."""
        refused: str | None = None
        for last in (False, True):
            access_token = self._sign_in.read().access_token
            if access_token == refused or ends_soon(access_token):
                with holding(self._sign_in):
                    # Whoever held the lock before may have brought new ones.
                    tokens = self._sign_in.read()
                    if tokens.access_token == refused or ends_soon(tokens.access_token):
                        answer = yield self._refresh(request, tokens)
                        answer.read()
                        tokens, last = self._keep(answer), True  # noqa: PLW2901 (new ones are tried once)
                    access_token = tokens.access_token
            request.headers["Authorization"] = f"Bearer {access_token}"
            response = yield request
            if last or response.status_code != HTTPStatus.UNAUTHORIZED:
                return
            refused = access_token

    def _refresh(self, request: httpx.Request, tokens: Tokens) -> httpx.Request:
        return httpx.Request(
            "POST",
            f"{self._base_url}{REFRESH_PATH}",
            json={"refresh_token": tokens.refresh_token},
            headers={"User-Agent": request.headers.get("User-Agent", "daftray")},
            extensions={"timeout": httpx.Timeout(_REFRESH_TIMEOUT_S).as_dict()},
        )

    def _keep(self, answer: httpx.Response) -> Tokens:
        """Return the new tokens, which are kept by then. Raises what the server answered instead."""
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            self._sign_in.write(None)  # they open nothing any more
        if not answer.is_success:
            raise error_from(answer.status_code, answer.content)
        try:
            tokens = msgspec.json.decode(answer.content, type=Tokens)
        except msgspec.DecodeError as exc:
            raise AnswerNotUnderstoodError("The server's new tokens are not understood.") from exc
        self._sign_in.write(tokens)
        return tokens


@contextmanager
def holding(sign_in: SignIn) -> Generator[None]:
    """Hold the lock of the file with the tokens, waiting for it. Raises `NotConfiguredError`."""
    lock = sign_in.lock()
    deadline = time.monotonic() + LONGEST_WAIT_S
    while not lock.take():
        if time.monotonic() > deadline:
            raise lock.refusal()
        pause(RETRY_S)
    try:
        yield
    finally:
        lock.release()
