"""The ``google-genai`` client, of the Gemini API and of Vertex: generated content and embeddings.

Each request that it sends, a retry as well, is one call of ``_request_once`` (or of ``_request`` in versions
that do not retry), and what comes back is an ``HttpResponse``: whole, as text, or in segments that it
decodes. A whole answer is searched rather than decoded once more: it may hold images and long vectors.

The Live API, interactions and batches do not pass here: their tokens stay unknown.
"""

from __future__ import annotations

import functools
import json

from daftray.runner import names
from daftray.runner.instrument import UnknownShapeError
from daftray.runner.instrument.calls import Call, last
from daftray.runner.shapes import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_OPERATIONS = {
    "generateContent": "generate_content",
    "streamGenerateContent": "generate_content",
    "embedContent": "embeddings",
    "batchEmbedContents": "embeddings",
}
"""Methods of the API by OpenTelemetry's names of operations (GenAI conventions). Others spend no tokens."""
_PREDICT = "predict"
"""What Vertex calls embeddings of older models, and much else: only what has a text to embed is counted."""
_USAGE = '"usageMetadata"'
_INPUT = ("promptTokenCount", "toolUsePromptTokenCount")
_OUTPUT = ("candidatesTokenCount", "thoughtsTokenCount")
_CALL = "_daftray_call"


def patch(module: ModuleType) -> None:
    """Count what the client sends."""
    client, response = getattr(module, "BaseApiClient", None), getattr(module, "HttpResponse", None)
    send = "_request_once" if hasattr(client, "_request_once") else "_request"
    points = [(client, send), (client, f"_async{send}"), (response, "segments"), (response, "async_segments")]
    missing = [method for owner, method in points if not callable(getattr(owner, method, None))]
    if missing:
        raise UnknownShapeError(f"it has no {', '.join(missing)}")
    _patch_send(client, send)
    _patch_async_send(client, f"_async{send}")
    _patch_segments(response)


def _patch_send(client: Any, method: str) -> None:  # a class of the user's library
    send = getattr(client, method)

    @functools.wraps(send)
    def counted_send(self: Any, http_request: Any, *args: Any, **kwargs: Any) -> Any:
        call = _call_of(self, http_request)
        outcome, response = names.ERROR, None
        try:
            response = send(self, http_request, *args, **kwargs)
            outcome = names.OK
        finally:
            _ended(call, outcome, response)
        return response

    setattr(client, method, counted_send)


def _patch_async_send(client: Any, method: str) -> None:
    send = getattr(client, method)

    @functools.wraps(send)
    async def counted_send(self: Any, http_request: Any, *args: Any, **kwargs: Any) -> Any:
        call = _call_of(self, http_request)
        outcome, response = names.ERROR, None
        try:
            response = await send(self, http_request, *args, **kwargs)
            outcome = names.OK
        finally:
            _ended(call, outcome, response)
        return response

    setattr(client, method, counted_send)


def _patch_segments(response: Any) -> None:
    """Look at each part of a stream as it is decoded."""
    segments, async_segments = response.segments, response.async_segments

    @functools.wraps(segments)
    def counted_segments(self: Any) -> Any:
        for segment in segments(self):
            _told(getattr(self, _CALL, None), segment)
            yield segment

    @functools.wraps(async_segments)
    async def counted_async_segments(self: Any) -> Any:
        async for segment in async_segments(self):
            _told(getattr(self, _CALL, None), segment)
            yield segment

    response.segments, response.async_segments = counted_segments, counted_async_segments


def _call_of(client: Any, request: Any) -> Call | None:
    """Return the call that a request is, None for requests that are no calls of a model."""
    try:
        place, _, method = str(request.url).partition("?")[0].rpartition(":")
        operation = _OPERATIONS.get(method)
        if method == _PREDICT and all("content" in each for each in request.data["instances"]):
            operation = "embeddings"
        if operation is None:
            return None
        provider = "gcp.vertex_ai" if client.vertexai else "gcp.gemini"
        return Call(model=place.rpartition("/")[2], provider=provider, operation=operation)
    except Exception:
        return None


def _ended(call: Call | None, outcome: str, response: Any) -> None:
    """Count a request, and the tokens of an answer that is whole; let a stream know its call."""
    if call is None:
        return
    call.request(outcome)
    last.set(call)
    try:
        is_whole = isinstance(response.response_stream, list)
        if is_whole:
            _told(call, _searched(response.response_stream[0]))
        else:
            setattr(response, _CALL, call)
    except Exception:  # noqa: S110 (none came, or another shape than known: its tokens stay unknown)
        pass


def _searched(text: str) -> object:
    """Return the parts of an answer that tell of tokens."""
    # Inside a string of JSON the quotes would be escaped: what is found is the key.
    at = text.rfind(_USAGE)
    if at >= 0:
        begin = text.index("{", at)
        return {"usageMetadata": json.JSONDecoder().raw_decode(text, begin)[0]}
    return json.loads(text) if '"token_count"' in text else None


def _told(call: Call | None, segment: object) -> None:
    if call is None:
        return
    try:
        body = json_object(segment) or {}
        usage = json_object(body.get("usageMetadata")) or {}
        tokens_in = _sum(usage, _INPUT)
        if tokens_in is None and "predictions" in body:
            counts = [each["embeddings"]["statistics"]["token_count"] for each in body["predictions"]]
            tokens_in = int(sum(counts))
        call.tokens(tokens_in, _sum(usage, _OUTPUT))
    except Exception:  # noqa: S110 (another shape than known: tokens stay unknown, the answer is the user's)
        pass


def _sum(usage: dict[str, Any], parts: tuple[str, ...]) -> int | None:
    known = [usage[part] for part in parts if isinstance(usage.get(part), int)]
    return sum(known) if known else None
