"""A stand-in for a language model: OpenAI's protocol on loopback, with made-up answers.

It lets the demo and the tests run the real ``openai`` client over real HTTP where there is no API key. It
knows nothing: a text with more cheerful words than gloomy ones is "positive". Its model is called `MODEL`
whatever was asked for, so that nobody takes its answers for a model's.

The shapes follow OpenAI's API reference: chat completions, responses, embeddings, models.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import msgspec

from daftray.server import stand_in_answers as answers

MODEL = answers.MODEL
MAX_BODY = 4 * 1024 * 1024
"""Bytes that a request may have."""
IDLE_TIMEOUT_S = 60

_ROUTES = {
    "/v1/chat/completions": answers.chat_completion,
    "/v1/responses": answers.response,
    "/v1/embeddings": answers.embeddings,
}


class StandIn:
    """The server, on a free port of 127.0.0.1: ``with StandIn() as stand_in: … stand_in.base_url``."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="stand-in", daemon=True
        )

    @property
    def base_url(self) -> str:
        """What ``OPENAI_BASE_URL`` is set to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        """Answer from now on."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Answer no more, and give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=IDLE_TIMEOUT_S)


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # idle connections of clients that are long gone must not hold up the end
    request_queue_size = 1024  # Daft asks for a whole batch of rows at once; the usual 5 would refuse most


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "daftray-stand-in"
    timeout = IDLE_TIMEOUT_S

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            self._answer(HTTPStatus.OK, answers.models())
        else:
            self._refuse(HTTPStatus.NOT_FOUND, f"The stand-in has no {self.path}.")

    def do_POST(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        if size > MAX_BODY:
            # The body stays unread, so nothing that follows it on this connection could be understood.
            self.close_connection = True
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The stand-in reads at most {MAX_BODY} bytes.")
            return
        body = self.rfile.read(size)
        answer = _ROUTES.get(self.path.split("?", 1)[0])
        if answer is None:
            self._refuse(HTTPStatus.NOT_FOUND, f"The stand-in has no {self.path}.")
            return
        try:
            self._answer(HTTPStatus.OK, answer(body))
        except msgspec.DecodeError as exc:
            self._refuse(HTTPStatus.BAD_REQUEST, f"The stand-in does not understand the request: {exc}")
        except answers.UnsupportedError as exc:
            self._refuse(HTTPStatus.BAD_REQUEST, str(exc))

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._answer(status, {"error": {"message": message, "type": "invalid_request_error", "code": None}})

    def _answer(self, status: HTTPStatus, answer: Mapping[str, object]) -> None:
        content = msgspec.json.encode(answer)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.send_header("x-daftray-stand-in", "true")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is http.server's)
        """Write nothing: hundreds of requests would drown what the demo has to say."""
