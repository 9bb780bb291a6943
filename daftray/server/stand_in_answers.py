"""What the stand-in for a language model answers: made up, always the same for the same request."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence

import msgspec

MODEL = "stand-in"

_DIMENSIONS = 64
_CHARACTERS_PER_TOKEN = 4
_ECHOED_WORDS = 12
_CHEERFUL = frozenset(
    {"beautiful", "best", "easy", "excellent", "good", "great", "happy", "love", "lovely", "perfect"}
)
_GLOOMY = frozenset(
    {"awful", "broke", "broken", "but", "cracked", "disappointing", "failed", "failing", "leaks"}
    | {"loud", "ruined", "snapped", "soaked", "split", "terrible", "useless"}
)


class UnsupportedError(Exception):
    """The request asks for something that the stand-in does not do; the message says what."""


class Part(msgspec.Struct, frozen=True):
    """A part of a message; only the text of it is read."""

    text: str = ""


class Message(msgspec.Struct, frozen=True):
    """A message of a conversation."""

    role: str = "user"
    content: str | list[Part] = ""

    @property
    def text(self) -> str:
        """What it says."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content)


class _ChatRequest(msgspec.Struct, frozen=True):
    messages: list[Message]
    stream: bool = False


class _ResponseRequest(msgspec.Struct, frozen=True):
    input: str | list[Message]
    instructions: str | None = None
    stream: bool = False


class _EmbeddingsRequest(msgspec.Struct, frozen=True):
    input: str | list[str]
    dimensions: int | None = None


def models() -> dict[str, object]:
    """Return the list of models: this one."""
    return {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "daftray"}]}


def chat_completion(body: bytes) -> dict[str, object]:
    """Answer ``POST /v1/chat/completions``. Raises `msgspec.DecodeError`, `UnsupportedError`."""
    request = msgspec.json.decode(body, type=_ChatRequest)
    text, tokens_in, tokens_out = _converse(request.messages, stream=request.stream)
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "id": f"chatcmpl-{_digest(body)}",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        },
    }


def response(body: bytes) -> dict[str, object]:
    """Answer ``POST /v1/responses``. Raises `msgspec.DecodeError`, `UnsupportedError`."""
    request = msgspec.json.decode(body, type=_ResponseRequest)
    given = [Message(content=request.input)] if isinstance(request.input, str) else request.input
    system = [Message(role="system", content=request.instructions)] if request.instructions else []
    text, tokens_in, tokens_out = _converse([*system, *given], stream=request.stream)
    name = _digest(body)
    message: dict[str, object] = {
        "id": f"msg_{name}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }
    return {
        "id": f"resp_{name}",
        "object": "response",
        "created_at": 0,
        "status": "completed",
        "model": MODEL,
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": tokens_in,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": tokens_out,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens_in + tokens_out,
        },
    }


def embeddings(body: bytes) -> dict[str, object]:
    """Answer ``POST /v1/embeddings`` with unit vectors. Raises `msgspec.DecodeError`."""
    request = msgspec.json.decode(body, type=_EmbeddingsRequest)
    texts = [request.input] if isinstance(request.input, str) else request.input
    size = request.dimensions or _DIMENSIONS
    tokens = sum(_tokens(text) for text in texts)
    return {
        "object": "list",
        "model": MODEL,
        "data": [
            {"object": "embedding", "index": index, "embedding": _vector(text, size)}
            for index, text in enumerate(texts)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _converse(messages: Sequence[Message], *, stream: bool) -> tuple[str, int, int]:
    """Return an answer to the last message, and the tokens in and out."""
    if stream:
        raise UnsupportedError("The stand-in does not stream: leave out `stream`.")
    asked = "\n".join(message.text for message in messages)
    last = messages[-1].text if messages else ""
    wants_label = all(word in asked.lower() for word in ("positive", "negative"))
    text = _sentiment(last) if wants_label else f"({MODEL}) {' '.join(last.split()[:_ECHOED_WORDS])}"
    return text, _tokens(asked), _tokens(text)


def _sentiment(text: str) -> str:
    words = set(re.findall(r"[a-z]+", text.lower()))
    cheerful, gloomy = len(words & _CHEERFUL), len(words & _GLOOMY)
    if cheerful == gloomy:
        return "mixed"
    return "positive" if cheerful > gloomy else "negative"


def _tokens(text: str) -> int:
    return max(1, math.ceil(len(text) / _CHARACTERS_PER_TOKEN))


def _vector(text: str, size: int) -> list[float]:
    stream = hashlib.shake_256(text.encode()).digest(size)
    numbers = [byte - 127.5 for byte in stream]
    norm = math.sqrt(sum(number * number for number in numbers))
    return [number / norm for number in numbers]


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:24]
