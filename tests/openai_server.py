"""An OpenAI-compatible endpoint for tests: real HTTP, answers made up, requests and tokens counted.

Speaks chat completions, responses, embeddings and (old) completions, whole and streamed. Tokens in are the
words that came in, tokens out the words of the answer, so that a test knows them beforehand.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = "a short answer of six words"
TOKENS_OUT = len(ANSWER.split())


@dataclass
class OpenAiServer:
    """What the endpoint served. ``failures`` are statuses to answer with, one each (200 lets one pass).

    ``tokens_in`` and ``tokens_out`` are what its answers told of: a stream of chat completions tells only
    where the request asked for ``stream_options.include_usage``.
    """

    url: str = ""
    requests: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    paths: list[str] = field(default_factory=list[str])
    failures: list[int] = field(default_factory=list[int])
    usage_in_every_chunk: bool = False
    """As vLLM's ``continuous_usage_stats``: every chunk of a stream tells the sum so far."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def base_url(self) -> str:
        """What ``OPENAI_BASE_URL`` is to be."""
        return f"{self.url}/v1"

    def told(self, tokens_in: int, tokens_out: int) -> None:
        """Note that an answer told of tokens."""
        with self.lock:
            self.tokens_in += tokens_in
            self.tokens_out += tokens_out

    def next_failure(self, path: str) -> int | None:
        """Note a request; return the status that it is to fail with, if any."""
        with self.lock:
            self.requests += 1
            self.paths.append(path)
            status = self.failures.pop(0) if self.failures else 200
            if status == 200:
                return None
            self.failed += 1
            return status


@contextmanager
def openai_server() -> Generator[OpenAiServer]:
    """Serve the endpoint on loopback."""
    state = OpenAiServer()

    class Handler(_Handler):
        server_state = state

    server = _Server(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # the usual 5 reset connections of concurrent calls, which clients then repeat


class _Handler(BaseHTTPRequestHandler):
    server_state: OpenAiServer
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        """Serve a connection; clients may leave theirs open when they end."""
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        self._json(200, {"object": "list", "data": [{"id": "small", "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.path.partition("?")[0].partition("/v1/")[2]
        status = self.server_state.next_failure(operation)
        if status is not None:
            self._json(status, {"error": {"message": f"failed with {status}", "type": "test", "code": None}})
            return
        answers = {
            "chat/completions": self._chat,
            "responses": self._responses,
            "embeddings": self._embeddings,
            "completions": self._completions,
        }
        if operation not in answers:
            self._json(
                404, {"error": {"message": f"no such path: {self.path}", "type": "test", "code": None}}
            )
            return
        answers[operation](body)

    def _chat(self, body: dict[str, Any]) -> None:
        tokens_in = sum(_words(message["content"]) for message in body["messages"])
        usage = _completion_usage(tokens_in, TOKENS_OUT)
        if body.get("stream"):
            self._stream(self._chat_chunks(body, tokens_in))
            return
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": _content(body)},
        }
        self.server_state.told(tokens_in, TOKENS_OUT)
        self._json(200, _chat_object("chat.completion", body, [choice], usage))

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
        tokens_in = _words(body["prompt"])
        self.server_state.told(tokens_in, TOKENS_OUT)
        choice = {"index": 0, "finish_reason": "stop", "text": ANSWER, "logprobs": None}
        usage = _completion_usage(tokens_in, TOKENS_OUT)
        self._json(200, _chat_object("text_completion", body, [choice], usage))

    def _embeddings(self, body: dict[str, Any]) -> None:
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        tokens_in = sum(_words(text) for text in texts)
        data = [
            {"object": "embedding", "index": at, "embedding": [0.5, -0.5, 0.25]} for at in range(len(texts))
        ]
        self.server_state.told(tokens_in, 0)
        usage = {"prompt_tokens": tokens_in, "total_tokens": tokens_in}
        self._json(200, {"object": "list", "data": data, "model": body["model"], "usage": usage})

    def _responses(self, body: dict[str, Any]) -> None:
        given = body["input"]
        texts = [given] if isinstance(given, str) else [message["content"] for message in given]
        answer = _response_object(body, sum(_words(text) for text in texts))
        usage = answer["usage"]
        self.server_state.told(usage["input_tokens"], usage["output_tokens"])
        if not body.get("stream"):
            self._json(200, answer)
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
        self._stream(iter(events), named=True)

    def _json(self, status: int, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status >= 400:
            self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, events: Iterator[dict[str, Any]], *, named: bool = False) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for event in events:
            name = f"event: {event['type']}\n" if named else ""
            self.wfile.write(f"{name}data: {json.dumps(event)}\n\n".encode())
        if not named:
            self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        pass


def _words(content: Any) -> int:
    if isinstance(content, str):
        return len(content.split())
    return sum(_words(part.get("text", "")) for part in content)


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
