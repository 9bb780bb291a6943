"""One server over HTTP: every call has a timeout, every failure is one of daftray's errors.

httpx is at home here and in ``streams``; none of its exceptions leave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from daftray import __version__
from daftray.client._async.auth import AsyncSignedIn
from daftray.client._async.pause import pause
from daftray.client.answers import Retry
from daftray.client.errors import AnswerNotUnderstoodError, ServerUnreachableError, error_from
from daftray.client.profile import Address
from daftray.domain.errors import DaftrayError

T = TypeVar("T")
Parameters = Sequence[tuple[str, str]]
_CONNECT_TIMEOUT_S = 10.0


def segment(text: str) -> str:
    """Return a name as one segment of a URL's path, whatever it holds."""
    return quote(text, safe="")


class AsyncConnection:
    """A server, asked and answering in the domain's types."""

    def __init__(
        self,
        address: Address,
        *,
        timeout_s: float,
        retry: Retry,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.address = address
        self.retry = retry
        self.http = httpx.AsyncClient(
            base_url=address.base_url,
            headers={
                **({"Authorization": f"Bearer {address.api_key}"} if address.api_key else {}),
                "Accept": "application/json",
                "User-Agent": f"daftray/{__version__}",
            },
            auth=AsyncSignedIn(address.sign_in, address.base_url) if address.sign_in else None,
            timeout=_patient(timeout_s),
            transport=transport,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def get(self, path: str, kind: type[T], *, parameters: Parameters = ()) -> T:
        """Ask for a path and return the answer as that type."""
        response = await self.call("GET", path, parameters=parameters, repeatable=True)
        return decode(response, kind)

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: object = msgspec.UNSET,
        parameters: Parameters = (),
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        accepted: int | None = None,
        timeout_s: float | None = None,
    ) -> httpx.Response:
        """Make a call and return its answer: a success, or of the status that is ``accepted`` beside it.

        A call that never reached the server is repeated; one that may have, only if it is ``repeatable``.
        ``timeout_s`` is for a call whose answer may take longer than those of others.

        Raises:
            DaftrayError: what the server answered, or `ServerUnreachableError`.
        """
        has_body = body is not msgspec.UNSET
        request = self.http.build_request(
            method,
            path,
            content=msgspec.json.encode(body) if has_body else None,
            params=list(parameters),
            headers={**(_JSON_BODY if has_body else {}), **(headers or {})},
            timeout=self.http.timeout if timeout_s is None else _patient(timeout_s),
        )
        response = await self._send(request, repeatable=repeatable)
        if not response.is_success and response.status_code != accepted:
            raise refusal(response)
        return response

    async def _send(self, request: httpx.Request, *, repeatable: bool) -> httpx.Response:
        failures = 0
        while True:
            try:
                response = await self.http.send(request)
                if not repeatable or response.status_code not in _COME_BACK_LATER:
                    return response
                trouble: DaftrayError = refusal(response)
            except httpx.TransportError as exc:
                trouble = unreachable(self.address, exc)
                if not repeatable and not isinstance(exc, _NEVER_SENT):
                    raise trouble from exc
            failures += 1
            if failures >= self.retry.attempts:
                raise trouble
            await pause(self.retry.pause_s(failures))


def _patient(timeout_s: float) -> httpx.Timeout:
    return httpx.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_TIMEOUT_S))


_COME_BACK_LATER = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_JSON_BODY = {"Content-Type": "application/json"}


def refusal(response: httpx.Response) -> DaftrayError:
    """Return the error that an answer other than a success stands for. Its body must have been read."""
    if response.is_redirect:
        target = response.headers.get("location", "another address")
        return AnswerNotUnderstoodError(f"The server redirects to {target}: use the address that it means.")
    return error_from(response.status_code, response.content)


def unreachable(address: Address, exc: httpx.TransportError) -> ServerUnreachableError:
    """Return the error that says that nobody answered, and why as far as it is known."""
    why = "no answer in time" if isinstance(exc, httpx.TimeoutException) else str(exc) or type(exc).__name__
    return ServerUnreachableError(
        f"The daftray server at {address.base_url} does not answer ({why})."
        " Is it running, and is this its address?"
    )


def decode(response: httpx.Response, kind: type[T]) -> T:
    """Return an answer's JSON as that type; fields that this version does not know are left out.

    Raises:
        AnswerNotUnderstoodError: it is something else.
    """
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.DecodeError as exc:
        raise AnswerNotUnderstoodError(
            f"The answer to {response.request.method} {response.request.url.path} is not understood ({exc})."
            " Are client and server of the same version of daftray?"
        ) from exc


def decode_json(response: httpx.Response) -> Any:  # any JSON that a run's code returned
    """Return an answer's JSON as Python's own types. Raises `AnswerNotUnderstoodError`."""
    try:
        return msgspec.json.decode(response.content)
    except msgspec.DecodeError as exc:
        raise AnswerNotUnderstoodError(f"The answer to {response.request.url.path} is not JSON.") from exc
