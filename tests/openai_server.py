"""An OpenAI-compatible endpoint for tests: real HTTP, answers made up, requests and tokens counted.

Speaks chat completions, responses, embeddings and (old) completions, whole and streamed. Tokens in are the
words that came in, tokens out the words of the answer, so that a test knows them beforehand.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from model_server import ANSWER, TOKENS_OUT, ModelHandler, ModelServer, serving, words

__all__ = ["ANSWER", "TOKENS_OUT", "OpenAiServer", "openai_server"]


@dataclass
class OpenAiServer(ModelServer):
    """What the endpoint served.

    A stream of chat completions tells of tokens only where the request asked for
    ``stream_options.include_usage``.
    """

    models: list[str] = field(default_factory=list[str])
    """Whom each request asked."""
    usage_in_every_chunk: bool = False
    """As vLLM's ``continuous_usage_stats``: every chunk of a stream tells the sum so far."""

    @property
    def base_url(self) -> str:
        """What ``OPENAI_BASE_URL`` is to be."""
        return f"{self.url}/v1"


@contextmanager
def openai_server() -> Generator[OpenAiServer]:
    """Serve the endpoint on loopback."""
    state = OpenAiServer()

    class Handler(_Handler):
        server_state = state

    with serving(state, Handler):
        yield state


class _Handler(ModelHandler):
    server_state: OpenAiServer

    def get(self) -> None:
        self.answer(200, {"object": "list", "data": [{"id": "small", "object": "model"}]})

    def post(self) -> None:
        body = self.body()
        operation = self.path.partition("?")[0].partition("/v1/")[2]
        self.server_state.models.append(str(body.get("model")))
        status = self.server_state.next_failure(operation)
        if status is not None:
            self.answer(status, {"error": {"message": f"failed with {status}", "type": "test", "code": None}})
            return
        answers = {
            "chat/completions": self._chat,
            "responses": self._responses,
            "embeddings": self._embeddings,
            "completions": self._completions,
        }
        if operation not in answers:
            self.answer(
                404, {"error": {"message": f"no such path: {self.path}", "type": "test", "code": None}}
            )
            return
        answers[operation](body)

    def _chat(self, body: dict[str, Any]) -> None:
        tokens_in = sum(words(message["content"]) for message in body["messages"])
        usage = _completion_usage(tokens_in, TOKENS_OUT)
        if body.get("stream"):
            self.stream(self._chat_chunks(body, tokens_in), end="data: [DONE]\n\n")
            return
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": _content(body)},
        }
        self.server_state.told(tokens_in, TOKENS_OUT)
        self.answer(200, _chat_object("chat.completion", body, [choice], usage))

    def _chat_chunks(self, body: dict[str, Any], tokens_in: int) -> Iterator[dict[str, Any]]:
        always = self.server_state.usage_in_every_chunk
        for at, word in enumerate(ANSWER.split()):
            choice = {"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}
            usage = _completion_usage(tokens_in, at + 1) if always else None
            yield _chat_object("chat.completion.chunk", body, [choice], usage)
        if always or (body.get("stream_options") or {}).get("include_usage"):
            self.server_state.told(tokens_in, TOKENS_OUT)
            usage = _completion_usage(tokens_in, TOKENS_OUT)
            yield _chat_object("chat.completion.chunk", body, [], usage)

    def _completions(self, body: dict[str, Any]) -> None:
        tokens_in = words(body["prompt"])
        self.server_state.told(tokens_in, TOKENS_OUT)
        choice = {"index": 0, "finish_reason": "stop", "text": ANSWER, "logprobs": None}
        usage = _completion_usage(tokens_in, TOKENS_OUT)
        self.answer(200, _chat_object("text_completion", body, [choice], usage))

    def _embeddings(self, body: dict[str, Any]) -> None:
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        tokens_in = sum(words(text) for text in texts)
        data = [
            {"object": "embedding", "index": at, "embedding": [0.5, -0.5, 0.25]} for at in range(len(texts))
        ]
        self.server_state.told(tokens_in, 0)
        usage = {"prompt_tokens": tokens_in, "total_tokens": tokens_in}
        self.answer(200, {"object": "list", "data": data, "model": body["model"], "usage": usage})

    def _responses(self, body: dict[str, Any]) -> None:
        given = body["input"]
        texts = [given] if isinstance(given, str) else [message["content"] for message in given]
        answer = _response_object(body, sum(words(text) for text in texts))
        usage = answer["usage"]
        self.server_state.told(usage["input_tokens"], usage["output_tokens"])
        if not body.get("stream"):
            self.answer(200, answer)
            return
        begun = {**answer, "status": "in_progress", "output": [], "usage": None}
        message = {**answer["output"][0], "status": "in_progress", "content": []}
        part = {"type": "output_text", "text": "", "annotations": []}
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        events: list[dict[str, Any]] = [
            {"type": "response.created", "response": begun},
            {"type": "response.output_item.added", "output_index": 0, "item": message},
            {"type": "response.content_part.added", **place, "part": part},
            {"type": "response.output_text.delta", **place, "delta": ANSWER, "logprobs": []},
            {"type": "response.completed", "response": answer},
        ]
        events = [{**event, "sequence_number": at} for at, event in enumerate(events)]
        self.stream(iter(events), named=True)


def _content(body: dict[str, Any]) -> str:
    """Return the answer; where the request asks for JSON, JSON."""
    return json.dumps({"answer": ANSWER}) if body.get("response_format") else ANSWER


def _completion_usage(tokens_in: int, tokens_out: int) -> dict[str, int]:
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }


def _chat_object(
    kind: str, body: dict[str, Any], choices: list[dict[str, Any]], usage: dict[str, int] | None
) -> dict[str, Any]:
    return {
        "id": "answer-1",
        "object": kind,
        "created": 1,
        "model": f"{body['model']}-2026",
        "choices": choices,
        "usage": usage,
    }


def _response_object(body: dict[str, Any], tokens_in: int) -> dict[str, Any]:
    text = json.dumps({"answer": ANSWER}) if (body.get("text") or {}).get("format") else ANSWER
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": f"{body['model']}-2026",
        "status": "completed",
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": tokens_in,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": TOKENS_OUT,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens_in + TOKENS_OUT,
        },
    }
