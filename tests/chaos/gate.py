"""A gate in an HTTP path that loses, delays, cuts and falsifies what passes, as its seed says.

It reads a whole request and a whole answer, each on a connection of its own: so it can lose the one and not
the other. What it lost it has counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Self

PATIENCE_S = 60.0
"""The gate itself waits no longer for either side."""
_LARGEST = 64 * 1024 * 1024
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d+)[ \t]*\r?$")
_CONNECTION = re.compile(rb"(?im)^connection:[^\r\n]*\r\n")


class Fault(StrEnum):
    """What can happen to a request."""

    REFUSED = "refused"
    """The connection is closed before anything was passed on."""
    UNANSWERED = "unanswered"
    """It is passed on; the connection is closed in place of an answer."""
    SILENT = "silent"
    """Nothing is passed on and nothing is answered, while the connection stays: it is half open."""
    MUTE = "mute"
    """It is passed on; nothing is answered, while the connection stays."""
    CUT = "cut"
    """It is passed on, and half of its answer comes back."""
    FAILED = "failed"
    """It is not passed on, and answered with an error of the kind that proxies give."""
    FALSE = "false"
    """It is passed on, and answered with such an error."""
    SLOW = "slow"
    """It is passed on late."""


_ERRORS = (b"500 Internal Server Error", b"502 Bad Gateway", b"503 Service Unavailable")
_PASSED_ON = {Fault.UNANSWERED, Fault.MUTE, Fault.CUT, Fault.FALSE, Fault.SLOW}


@dataclass(frozen=True)
class Request:
    """One request: its first line, and all of it as it came."""

    line: str
    raw: bytes

    @property
    def upgrades(self) -> bool:
        """Tell whether it asks for a WebSocket."""
        return b"\r\nupgrade: websocket" in self.raw.partition(b"\r\n\r\n")[0].lower()

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]


@dataclass
class Faults:
    """Which requests are hit, and how: a share of all, for some time from the first, by chance."""

    chance: Random
    share: float
    for_s: float
    kinds: tuple[Fault, ...] = tuple(Fault)
    _since: float | None = None

    def next(self) -> Fault | None:
        self._since = self._since or time.monotonic()
        # Drawn in any case: the same seed hits the same requests, wherever the time is up.
        hit, kind = self.chance.random() < self.share, self.chance.choice(self.kinds)
        return kind if hit and time.monotonic() - self._since < self.for_s else None


@dataclass
class Gate:
    """Stands before a server of this machine. ``on_answer`` may look at and change what comes back."""

    port: int
    faults: Faults
    on_answer: Callable[[Request, bytes], bytes] = lambda _request, answer: answer
    hit: Counter[str] = field(default_factory=Counter[str])
    url: str = ""
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _open: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._loop.run_forever, name="gate")
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not None:
            self._thread.join()
        self._loop.close()

    async def _listen(self) -> str:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _end(self) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._open.add(task)
            task.add_done_callback(self._open.discard)
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(PATIENCE_S):
                raw = await _message(reader)
                await self._serve(Request(raw.partition(b"\r\n")[0].decode("latin-1"), raw), reader, writer)
        writer.close()

    async def _serve(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        fault = self.faults.next()
        if fault is not None:
            self.hit[fault] += 1
        if fault is Fault.SLOW:
            await asyncio.sleep(self.faults.chance.uniform(0.5, 4))
        if request.upgrades and fault in {None, Fault.SLOW}:
            await _tunnel(self.port, request, reader, writer)
            return
        answer = b""
        if not request.upgrades and (fault is None or fault in _PASSED_ON):
            answer = self.on_answer(request, await _ask(self.port, request))
        if fault in {Fault.SILENT, Fault.MUTE}:
            await reader.read()  # until the other side gives up
        elif fault in {Fault.FAILED, Fault.FALSE}:
            writer.write(_refusal(self.faults.chance.choice(_ERRORS)))
        elif fault is Fault.CUT:
            writer.write(answer[: len(answer) // 2])
        elif fault in {None, Fault.SLOW}:
            writer.write(answer)
        await writer.drain()


async def _ask(port: int, request: Request) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head, end, body = request.raw.partition(b"\r\n\r\n")
        # One answer, and then the end of the connection: no need to know how long the answer is.
        head = _CONNECTION.sub(b"", head + b"\r\n") + b"Connection: close"
        writer.write(head + end + body)
        await writer.drain()
        return await reader.read(-1)
    finally:
        writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    found = _LENGTH.search(head)
    length = int(found[1]) if found else 0
    if length > _LARGEST:
        raise OSError("too large for the gate")
    return head + await reader.readexactly(length)


def _refusal(status: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, len(status), status)


async def _tunnel(
    port: int, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Join two sides of a WebSocket, until one of them has enough."""
    other_reader, other_writer = await asyncio.open_connection("127.0.0.1", port)
    other_writer.write(request.raw)
    pumps = [
        asyncio.create_task(_pump(reader, other_writer)),
        asyncio.create_task(_pump(other_reader, writer)),
    ]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        other_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(1 << 16):
        writer.write(piece)
        await writer.drain()
