"""The tokens that answers of a Stainless client tell of, whether or not its caller wants them parsed.

Every JSON body that is parsed (of an answer, of each event of a stream) passes ``_process_response_data``.
The others are looked at once their body is there; a stream that the caller reads as plain lines or bytes
passes by: its tokens stay unknown.
"""

from __future__ import annotations

import functools

from daftray.runner.instrument.calls import in_flight
from daftray.runner.shapes import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    Usage = Callable[[dict[str, Any]], tuple[object, object]]  # Any: that is what JSON is

_CALL = "daftray.call"
"""Where an HTTP response carries its call: httpx keeps ``extensions`` for such uses."""
_RAW = "X-Stainless-Raw-Response"
"""The header by which the client remembers that its caller wants the response itself."""


def patch(module: ModuleType, usage: Usage) -> None:
    """Look at what a client's answers tell. ``usage`` finds tokens in and out in a body."""
    _patch_process(module.SyncAPIClient, usage)
    _patch_process(module.AsyncAPIClient, usage)
    _patch_data(module.BaseClient, usage)
    _patch_read(getattr(module, "APIResponse", None), usage)
    _patch_async_read(getattr(module, "AsyncAPIResponse", None), usage)


def _patch_process(client: Any, usage: Usage) -> None:  # a class of the user's library
    process = client._process_response

    @functools.wraps(process)
    def known_process(self: Any, *args: Any, **kwargs: Any) -> Any:  # a coroutine of the asynchronous client
        _attach(usage, kwargs)
        return process(self, *args, **kwargs)

    client._process_response = known_process


def _patch_data(client: Any, usage: Usage) -> None:
    process: Callable[..., Any] = client._process_response_data

    @functools.wraps(process)
    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        _told(usage, kwargs.get("response"), kwargs.get("data"))
        return process(self, *args, **kwargs)

    client._process_response_data = counted


def _patch_read(answer: Any, usage: Usage) -> None:
    """Look at answers that are read late (``with_streaming_response``), parsed or not."""
    read = getattr(answer, "read", None)
    if read is None:
        return

    @functools.wraps(read)
    def counted_read(self: Any) -> Any:
        body = read(self)
        _was_read(usage, self)
        return body

    answer.read = counted_read


def _patch_async_read(answer: Any, usage: Usage) -> None:
    read = getattr(answer, "read", None)
    if read is None:
        return

    @functools.wraps(read)
    async def counted_read(self: Any) -> Any:
        body = await read(self)
        _was_read(usage, self)
        return body

    answer.read = counted_read


def _attach(usage: Usage, kwargs: dict[str, Any]) -> None:
    """Let a response know its call; look into it where nobody will parse it."""
    call = in_flight.get()
    if call is None:
        return
    try:
        response = kwargs["response"]
        response.extensions[_CALL] = call.for_answer()
        unparsed = _RAW in response.request.headers or kwargs["cast_to"] is type(response)
        if unparsed and not kwargs["stream"] and response.is_closed:
            _told(usage, response, response.json())
    except Exception:  # noqa: S110 (an unknown shape: tokens are unknown, the answer is the user's)
        pass


def _was_read(usage: Usage, answer: Any) -> None:
    try:
        response = answer.http_response
        if response.request.headers.get(_RAW) == "stream" and _CALL in response.extensions:
            _told(usage, response, response.json())
    except Exception:  # noqa: S110 (no JSON: it tells of no tokens)
        pass


def _told(usage: Usage, response: Any, data: object) -> None:
    try:
        call = response.extensions.get(_CALL)
        if call is not None:
            call.tokens(*usage(json_object(data) or {}))
    except Exception:  # noqa: S110 (an unknown shape: tokens are unknown, the answer is the user's)
        pass
