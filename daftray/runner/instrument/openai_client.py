"""The ``openai`` client, versions 1 to 3: each request that it sends, and the tokens its answers tell of.

All of its resources end in ``SyncAPIClient.request`` or ``AsyncAPIClient.request``, and every JSON body
(of an answer, a raw answer once it is parsed, each event of a stream) passes ``_process_response_data``.
A retry passes ``_sleep_for_retry``: the request before it failed, and was one request.
"""

from __future__ import annotations

import functools

from daftray.runner import names
from daftray.runner.instrument import UnknownShapeError
from daftray.runner.instrument.calls import Call, in_flight, last
from daftray.runner.shapes import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

_OPERATIONS = {
    "chat/completions": "chat",
    "responses": "chat",
    "embeddings": "embeddings",
    "completions": "text_completion",
}
"""Paths of the API by OpenTelemetry's names of operations (GenAI conventions). Others spend no tokens."""
_EXTENSION = "daftray.call"
"""Where an HTTP response carries its call: httpx keeps ``extensions`` for such uses."""
_LONGEST_TAIL = 2


def patch(module: ModuleType) -> None:
    """Count what the client sends."""
    methods = ("request", "_sleep_for_retry", "_process_response")
    points = [
        (getattr(module, name, None), method)
        for name in ("SyncAPIClient", "AsyncAPIClient")
        for method in methods
    ]
    points.append((getattr(module, "BaseClient", None), "_process_response_data"))
    missing = [method for owner, method in points if not callable(getattr(owner, method, None))]
    if missing:
        raise UnknownShapeError(f"it has no {', '.join(sorted(set(missing)))}")
    _patch_sync(module.SyncAPIClient)
    _patch_async(module.AsyncAPIClient)
    _patch_data(module.BaseClient)


def _patch_sync(client: Any) -> None:  # a class of the user's library
    request, sleep, process = client.request, client._sleep_for_retry, client._process_response

    @functools.wraps(request)
    def counted_request(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = _call_of(self, args, kwargs)
        if call is None:
            return request(self, *args, **kwargs)
        token = in_flight.set(call)
        outcome = names.ERROR
        try:
            answer = request(self, *args, **kwargs)
            outcome = names.OK
        finally:
            in_flight.reset(token)
            _ended(call, outcome)
        return answer

    @functools.wraps(sleep)
    def counted_sleep(self: Any, *args: Any, **kwargs: Any) -> Any:
        _failed_once()
        return sleep(self, *args, **kwargs)

    @functools.wraps(process)
    def known_process(self: Any, *args: Any, **kwargs: Any) -> Any:
        _attach(kwargs)
        return process(self, *args, **kwargs)

    client.request, client._sleep_for_retry, client._process_response = (
        counted_request,
        counted_sleep,
        known_process,
    )


def _patch_async(client: Any) -> None:
    request, sleep, process = client.request, client._sleep_for_retry, client._process_response

    @functools.wraps(request)
    async def counted_request(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = _call_of(self, args, kwargs)
        if call is None:
            return await request(self, *args, **kwargs)
        token = in_flight.set(call)
        outcome = names.ERROR
        try:
            answer = await request(self, *args, **kwargs)
            outcome = names.OK
        finally:
            in_flight.reset(token)
            _ended(call, outcome)
        return answer

    @functools.wraps(sleep)
    async def counted_sleep(self: Any, *args: Any, **kwargs: Any) -> Any:
        _failed_once()
        return await sleep(self, *args, **kwargs)

    @functools.wraps(process)
    async def known_process(self: Any, *args: Any, **kwargs: Any) -> Any:
        _attach(kwargs)
        return await process(self, *args, **kwargs)

    client.request, client._sleep_for_retry, client._process_response = (
        counted_request,
        counted_sleep,
        known_process,
    )


def _patch_data(client: Any) -> None:
    process: Callable[..., Any] = client._process_response_data

    @functools.wraps(process)
    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            call = kwargs["response"].extensions.get(_EXTENSION)
            if call is not None:
                call.tokens(*_usage(kwargs["data"]))
        except Exception:  # noqa: S110 (another shape than known: tokens stay unknown, the answer is the user's)
            pass
        return process(self, *args, **kwargs)

    client._process_response_data = counted


def _call_of(client: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """Return the call that a request is, None for requests that are no calls of a model."""
    try:
        options = kwargs["options"] if "options" in kwargs else args[1]
        path = str(options.url).partition("?")[0].strip("/").split("/")
        operation = None
        for length in range(_LONGEST_TAIL, 0, -1):
            operation = operation or _OPERATIONS.get("/".join(path[-length:]))
        if operation is None or options.method.lower() != "post":
            return None
        model = (json_object(options.json_data) or {}).get("model")
        azure = any(each.__name__ == "BaseAzureClient" for each in type(client).__mro__)
        return Call(model=model, provider="azure.ai.openai" if azure else "openai", operation=operation)
    except Exception:
        return None


def _ended(call: Call, outcome: str) -> None:
    call.request(outcome)
    last.set(call)


def _failed_once() -> None:
    call = in_flight.get()
    if call is not None:
        call.request(names.ERROR)


def _attach(kwargs: dict[str, Any]) -> None:
    call = in_flight.get()
    extensions = getattr(kwargs.get("response"), "extensions", None)
    if call is not None and isinstance(extensions, dict):
        extensions[_EXTENSION] = call


def _usage(data: object) -> tuple[object, object]:
    """Return tokens in and out as a body of any of the operations, or an event of a stream, tells them."""
    body = json_object(data) or {}
    answer = json_object(body.get("response")) or {}
    usage = json_object(body.get("usage") or answer.get("usage")) or {}
    tokens_in = usage.get("input_tokens", usage.get("prompt_tokens"))
    tokens_out = usage.get("output_tokens", usage.get("completion_tokens"))
    return tokens_in, tokens_out
