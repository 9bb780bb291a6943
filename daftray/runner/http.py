"""One HTTP exchange on a connection of its own, by the standard library.

``http.client`` brings the ``email`` package and TLS along: half of the time that a run's driver takes to
start, and every worker would pay it too. A plain ``http`` address is spoken to over a socket, in HTTP/1.0
(RFC 1945), whose answers end with their connection: no chunks, nothing to negotiate. ``https`` is left to
``http.client``. Neither follows redirects or uses proxies; a kept connection would outlive forks.
"""

from __future__ import annotations

import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing
    from typing import BinaryIO

LARGEST_ANSWER = 16 * 1024**2
_PIECE = 64 * 1024
_HTTP_PORT = 80


class Answer:
    """What came back. ``retry_after`` is the header's text, where there was one."""

    def __init__(self, status: int, body: bytes, retry_after: str | None) -> None:
        self.status = status
        self.body = body
        self.retry_after = retry_after


class Server:
    """The server at an address: ``secure`` says whether by https."""

    def __init__(self, host: str, port: int | None, *, secure: bool) -> None:
        self._host = host
        self._port = port
        self._secure = secure

    def exchange(
        self, method: str, path: str, headers: dict[str, str], body: bytes | BinaryIO | None, timeout_s: float
    ) -> Answer:
        """Send a request and return its answer.

        A body that is a file needs a ``Content-Length`` among the headers.

        Raises:
            OSError: nothing came back, or nothing that is HTTP.
        """
        if self._secure:
            return self._exchange_securely(method, path, headers, body, timeout_s)
        given = {"Content-Length": str(len(body))} if isinstance(body, bytes) else {}
        lines = [f"{method} {path} HTTP/1.0", f"Host: {self._authority}"]
        lines += [f"{name}: {value}" for name, value in {**given, **headers}.items()]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        # As bytes: of a text Python first asks its IDNA codec, which takes milliseconds to load.
        host = self._host.encode("ascii") if self._host.isascii() else self._host
        address: typing.Any = (host, self._port or _HTTP_PORT)  # the stubs know hosts as text only
        with socket.create_connection(address, timeout=timeout_s) as connection:
            connection.sendall(head + body if isinstance(body, bytes) else head)
            if body is not None and not isinstance(body, bytes):
                while piece := body.read(_PIECE):
                    connection.sendall(piece)
            return _parse(_read_all(connection))

    @property
    def _authority(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return host if self._port is None else f"{host}:{self._port}"

    def _exchange_securely(
        self, method: str, path: str, headers: dict[str, str], body: bytes | BinaryIO | None, timeout_s: float
    ) -> Answer:
        from http.client import HTTPException, HTTPSConnection

        connection = HTTPSConnection(self._host, self._port, timeout=timeout_s)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.read(LARGEST_ANSWER), response.getheader("Retry-After"))
        except HTTPException as error:
            raise OSError(str(error) or type(error).__name__) from error
        finally:
            connection.close()


def _read_all(connection: socket.socket) -> bytes:
    """Read until the other side is done, which ends an answer of HTTP/1.0."""
    received = bytearray()
    while len(received) < LARGEST_ANSWER and (piece := connection.recv(_PIECE)):
        received += piece
    return bytes(received)


def _parse(received: bytes) -> Answer:
    head, end, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    status = rest[:3]
    if not end or not version.startswith("HTTP/1.") or not status.isdecimal():
        raise ConnectionError("the answer is no HTTP, or was cut off")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    length = headers.get("content-length")
    if length is not None and length.isdecimal() and len(body) < int(length):
        raise ConnectionError("the answer was cut off")
    return Answer(int(status), body, headers.get("retry-after"))
