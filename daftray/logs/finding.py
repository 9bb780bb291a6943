"""Finds lines of a log that comes in pieces: by a text that they hold, or by the process that wrote them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from daftray.logs.chunks import CHUNK
from daftray.logs.processes import written_by

Finder = Callable[[bytes], Iterator[tuple[int, int, int]]]
"""Yields the lines of whole lines that fit: how many lines are before, and where the line begins and ends."""


class Found(NamedTuple):
    """A line that fits, without its newline. Lines count from one; ``offset`` is where it begins."""

    line: int
    offset: int
    text: bytes


class Scan:
    """Looks through a log, piece by piece. A line is looked through once its end is known."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._rest = b""
        self._offset = 0
        self.line = 1
        """The number of the line that is looked through next."""

    def feed(self, data: bytes) -> Iterator[Found]:
        """Yield the lines of the next piece that fit. To be used up before the next piece."""
        data = self._rest + data
        # A line without an end is looked through in parts, or it would fill the memory.
        whole = data.rfind(b"\n") + 1 or (len(data) if len(data) > CHUNK else 0)
        self._rest = data[whole:]
        return self._look_through(data[:whole])

    def finish(self) -> Iterator[Found]:
        """Yield the last line where it has no end and fits."""
        rest, self._rest = self._rest, b""
        return self._look_through(rest)

    def _look_through(self, data: bytes) -> Iterator[Found]:
        for before, start, end in self._finder(data):
            yield Found(self.line + before, self._offset + start, data[start:end])
        self.line += data.count(b"\n")
        self._offset += len(data)


def holding(text: str) -> Finder:
    """Return what finds lines that hold a text, upper and lower case of ASCII letters alike."""
    needle = text.encode().lower()

    def find(data: bytes) -> Iterator[tuple[int, int, int]]:
        lowered = data.lower()
        done = start = before = 0
        while (hit := lowered.find(needle, done)) >= 0:
            before += data.count(b"\n", start, hit)
            start = data.rfind(b"\n", 0, hit) + 1
            end = data.find(b"\n", hit)
            end = len(data) if end < 0 else end
            yield before, start, end
            done = end + 1

    return find


def of_process(process: str) -> Finder:
    """Return what finds lines that a process wrote (see `written_by`)."""
    fits = written_by(process)

    def find(data: bytes) -> Iterator[tuple[int, int, int]]:
        start = 0
        lines = data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        for before, line in enumerate(lines):
            end = start + len(line)
            if fits(line):
                yield before, start, end
            start = end + 1

    return find
