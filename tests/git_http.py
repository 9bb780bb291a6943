"""A real Git server over HTTP on loopback: ``git http-backend`` behind Basic authentication."""

from __future__ import annotations

import base64
import http.server
import os
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit


class GitServer(http.server.ThreadingHTTPServer):
    """Serves the repositories below a folder. ``on_request`` is called with each request's headers."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.token: str | None = None
        self.refusal: Callable[[str], tuple[int, dict[str, str], bytes]] | None = None
        self.beside: Callable[[str, str, str, bytes], tuple[int, dict[str, str], bytes] | None] | None = None
        """Answers method, path, ``Authorization`` and body of what is no request for Git."""
        self.on_request: Callable[[], object] = lambda: None
        self.seen: list[str | None] = []
        """The ``Authorization`` header of each request."""

    @property
    def port(self) -> int:
        return self.server_address[1]

    @contextmanager
    def gone(self) -> Generator[None]:
        """Answer as a host that is down, for the length of a block."""
        before, self.refusal = self.refusal, lambda _: (503, {}, b"")
        try:
            yield
        finally:
            self.refusal = before

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"


class _Handler(http.server.BaseHTTPRequestHandler):
    @property
    def _git_server(self) -> GitServer:
        assert isinstance(self.server, GitServer)
        return self.server

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is the library's)
        """Stay silent."""

    def _answer(self, body: bytes) -> None:
        authorization = self.headers.get("Authorization")
        self._git_server.seen.append(authorization)
        self._git_server.on_request()
        beside = self._git_server.beside
        if beside and (other := beside(self.command, self.path, authorization or "", body)) is not None:
            self._send(*other)
        elif self._git_server.refusal is not None:
            self._send(*self._git_server.refusal(authorization or ""))
        elif self._git_server.token is not None and not self._knows_token(authorization):
            self._send(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
        else:
            self._send(*self._from_git(body))

    def _knows_token(self, authorization: str | None) -> bool:
        kind, _, text = (authorization or "").partition(" ")
        return kind == "Basic" and base64.b64decode(text).decode().endswith(f":{self._git_server.token}")

    def _from_git(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        url = urlsplit(self.path)
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_PROJECT_ROOT": str(self._git_server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": url.path,
            "QUERY_STRING": url.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], env=env, input=body, capture_output=True, check=True, timeout=60
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        return int(headers.pop("Status", "200").split(" ")[0]), headers, content

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def git_server(root: Path) -> Generator[GitServer]:
    """Serve the repositories below a folder for the length of a block."""
    with GitServer(root) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
