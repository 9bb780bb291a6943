"""Clients that Stainless generates (``openai``, ``anthropic``): one shape, whoever's API it is.

All of their resources end in ``SyncAPIClient.request`` or ``AsyncAPIClient.request``. A retry passes
``_sleep_for_retry``: the request before it failed, and was one request. Where there is ``_attempt_request``,
it is one request each, whatever a middleware of the user's makes of a call.
`daftray.runner.instrument.stainless_answers` looks at what comes back.
"""

from __future__ import annotations

import functools

from daftray.runner import names
from daftray.runner.instrument import UnknownShapeError, stainless_answers
from daftray.runner.instrument.calls import Call, in_flight, last
from daftray.runner.shapes import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any

    from daftray.runner.instrument.stainless_answers import Usage

_LONGEST_TAIL = 2


class Api:
    """What tells one generated client from another.

    Args:
        operations: the last one or two parts of a path, and OpenTelemetry's name of what it does (GenAI
            conventions). Paths that are not named spend no tokens, and are not counted.
        provider: names who serves a client.
        usage: finds tokens in and out in a body or an event of a stream, anything but numbers where unknown.
    """

    __slots__ = ("operations", "provider", "usage")

    def __init__(
        self,
        operations: Mapping[str, str],
        provider: Callable[[object], str],
        usage: Usage,
    ) -> None:
        self.operations = operations
        self.provider = provider
        self.usage = usage


def patch(module: ModuleType, api: Api) -> None:
    """Count what the clients of a ``_base_client`` send."""
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
    _patch_request(module.SyncAPIClient, api)
    _patch_async_request(module.AsyncAPIClient, api)
    for client in (module.SyncAPIClient, module.AsyncAPIClient):
        if not hasattr(client, "_attempt_request"):
            _patch_sleep(client)
    stainless_answers.patch(module, api.usage)


def _patch_request(client: Any, api: Api) -> None:  # a class of the user's library
    request, attempt = client.request, getattr(client, "_attempt_request", None)

    @functools.wraps(request)
    def counted_request(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = _call_of(api, self, args, kwargs)
        token = in_flight.set(call)
        outcome = names.ERROR
        try:
            answer = request(self, *args, **kwargs)
            outcome = names.OK
        finally:
            in_flight.reset(token)
            _ended(call, None if attempt else outcome)
        return answer

    client.request = counted_request
    if attempt is None:
        return

    @functools.wraps(attempt)
    def counted_attempt(self: Any, *args: Any, **kwargs: Any) -> Any:
        answer = None
        try:
            answer = attempt(self, *args, **kwargs)
        finally:
            _attempted(answer)
        return answer

    client._attempt_request = counted_attempt


def _patch_async_request(client: Any, api: Api) -> None:
    request, attempt = client.request, getattr(client, "_attempt_request", None)

    @functools.wraps(request)
    async def counted_request(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = _call_of(api, self, args, kwargs)
        token = in_flight.set(call)
        outcome = names.ERROR
        try:
            answer = await request(self, *args, **kwargs)
            outcome = names.OK
        finally:
            in_flight.reset(token)
            _ended(call, None if attempt else outcome)
        return answer

    client.request = counted_request
    if attempt is None:
        return

    @functools.wraps(attempt)
    async def counted_attempt(self: Any, *args: Any, **kwargs: Any) -> Any:
        answer = None
        try:
            answer = await attempt(self, *args, **kwargs)
        finally:
            _attempted(answer)
        return answer

    client._attempt_request = counted_attempt


def _patch_sleep(client: Any) -> None:
    sleep = client._sleep_for_retry

    @functools.wraps(sleep)
    def counted_sleep(self: Any, *args: Any, **kwargs: Any) -> Any:  # a coroutine of the asynchronous client
        _count(in_flight.get(), names.ERROR)
        return sleep(self, *args, **kwargs)

    client._sleep_for_retry = counted_sleep


def _call_of(api: Api, client: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """Return the call that a request is, None for requests that are no calls of a model."""
    try:
        options = kwargs["options"] if "options" in kwargs else args[1]
        path = str(options.url).partition("?")[0].strip("/").split("/")
        operation = None
        for length in range(_LONGEST_TAIL, 0, -1):
            operation = operation or api.operations.get("/".join(path[-length:]))
        if operation is None or options.method.lower() != "post":
            return None
        model = (json_object(options.json_data) or {}).get("model")
        return Call(model=model, provider=api.provider(client), operation=operation)
    except Exception:
        return None


def _ended(call: Call | None, outcome: str | None) -> None:
    if call is not None:
        if outcome is not None:
            call.request(outcome)
        last.set(call)


def _attempted(answer: Any) -> None:
    """Count one request: ``answer`` is None where it raised, else the response and its options."""
    try:
        _count(in_flight.get(), names.OK if answer[0].is_success else names.ERROR)
    except Exception:
        _count(in_flight.get(), names.ERROR)


def _count(call: Call | None, outcome: str) -> None:
    if call is not None:
        call.request(outcome)
