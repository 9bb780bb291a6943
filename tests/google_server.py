"""An endpoint of the Gemini API for tests: real HTTP, answers made up, requests and tokens counted.

Tokens in are the words that came in; of the tokens out, two more than the answer's words are thoughts.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from model_server import ANSWER, ModelHandler, ModelServer, serving, words
from model_server import TOKENS_OUT as WORDS_OUT

THOUGHTS = 2
TOKENS_OUT = WORDS_OUT + THOUGHTS


@contextmanager
def google_server() -> Generator[ModelServer]:
    """Serve the endpoint on loopback."""
    state = ModelServer()

    class Handler(_Handler):
        server_state = state

    with serving(state, Handler):
        yield state


class _Handler(ModelHandler):
    server_state: ModelServer

    def post(self) -> None:
        body, method = self.body(), self.path.partition("?")[0].rpartition(":")[2]
        answers = {
            "generateContent": self._generate,
            "streamGenerateContent": self._stream,
            "batchEmbedContents": self._embed,
            "predict": self._predict,
        }
        if method not in answers:  # counting tokens is a call, but none of a model
            self.answer(200, {"totalTokens": 1})
            return
        status = self.server_state.next_failure(method)
        if status is not None:
            self.answer(status, {"error": {"code": status, "message": f"{status}", "status": "TEST"}})
            return
        answers[method](body)

    def _generate(self, body: dict[str, Any]) -> None:
        tokens_in = _tokens_in(body)
        self.server_state.told(tokens_in, TOKENS_OUT)
        self.answer(200, _answer(ANSWER, _usage(tokens_in, WORDS_OUT)))

    def _stream(self, body: dict[str, Any]) -> None:
        tokens_in = _tokens_in(body)
        self.server_state.told(tokens_in, TOKENS_OUT)
        self.stream(_chunks(tokens_in))

    def _embed(self, body: dict[str, Any]) -> None:
        tokens_in = sum(words(each["content"]["parts"]) for each in body["requests"])
        self.server_state.told(tokens_in, 0)
        vectors = [{"values": [0.5, -0.5]} for _ in body["requests"]]
        self.answer(200, {"embeddings": vectors, "usageMetadata": {"promptTokenCount": tokens_in}})

    def _predict(self, body: dict[str, Any]) -> None:
        """Answer as Vertex does: each vector tells of its own tokens, as a number with a point."""
        texts = [words(each["content"]) for each in body["instances"]]
        self.server_state.told(sum(texts), 0)
        vectors = [
            {"embeddings": {"values": [0.5], "statistics": {"token_count": float(text), "truncated": False}}}
            for text in texts
        ]
        self.answer(200, {"predictions": vectors})


def _tokens_in(body: dict[str, Any]) -> int:
    return sum(words(content["parts"]) for content in body["contents"])


def _usage(tokens_in: int, tokens_out: int) -> dict[str, int]:
    return {
        "promptTokenCount": tokens_in,
        "candidatesTokenCount": tokens_out,
        "thoughtsTokenCount": THOUGHTS,
        "totalTokenCount": tokens_in + tokens_out + THOUGHTS,
    }


def _answer(text: str, usage: dict[str, int]) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": text}]}
    return {"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage}


def _chunks(tokens_in: int) -> Iterator[dict[str, Any]]:
    """Yield a stream: each part tells of the sum so far."""
    for at, word in enumerate(ANSWER.split()):
        yield _answer(f"{word} ", _usage(tokens_in, at + 1))
