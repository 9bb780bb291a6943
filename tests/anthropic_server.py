"""An endpoint of Anthropic's Messages API for tests: real HTTP, answers made up, requests and tokens counted.

Tokens in are the words that came in; those of the ``system`` text count as read from the cache, which the
API tells apart from ``input_tokens``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from model_server import ANSWER, TOKENS_OUT, ModelHandler, ModelServer, serving, words


@contextmanager
def anthropic_server() -> Generator[ModelServer]:
    """Serve the endpoint on loopback."""
    state = ModelServer()

    class Handler(_Handler):
        server_state = state

    with serving(state, Handler):
        yield state


class _Handler(ModelHandler):
    server_state: ModelServer

    def post(self) -> None:
        body = self.body()
        path = self.path.partition("?")[0]
        if path != "/v1/messages":  # counting tokens is a call, but none of a model
            self.answer(200, {"input_tokens": 1})
            return
        status = self.server_state.next_failure(path)
        if status is not None:
            error = {"type": "test", "message": f"failed with {status}"}
            self.answer(status, {"type": "error", "error": error})
            return
        usage = _usage(body)
        self.server_state.told(sum(usage.values()) - TOKENS_OUT, TOKENS_OUT)
        if body.get("stream"):
            self.stream(_events(body, usage), named=True)
        else:
            self.answer(200, _message(body, usage))


def _usage(body: dict[str, Any]) -> dict[str, int]:
    return {
        "input_tokens": sum(words(message["content"]) for message in body["messages"]),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": words(body.get("system", "")),
        "output_tokens": TOKENS_OUT,
    }


def _message(body: dict[str, Any], usage: dict[str, int]) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": ANSWER}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }


def _events(body: dict[str, Any], usage: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Yield a stream: its begin tells of the input and the first token, its end of all that was written."""
    begun = {**_message(body, {**usage, "output_tokens": 1}), "content": [], "stop_reason": None}
    yield {"type": "message_start", "message": begun}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for word in ANSWER.split():
        delta = {"type": "text_delta", "text": f"{word} "}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": usage["output_tokens"]}}
    yield {"type": "message_stop"}
