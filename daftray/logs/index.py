"""Where in a log its lines are: enough to show any part of a long one without the rest."""

from __future__ import annotations

import msgspec

from daftray.logs.archive import LogArchive
from daftray.logs.chunks import CHUNK


class LogIndex(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of a log that have an end, and where some of them begin.

    A mark is a line, counted from zero, and the byte that it begins at. There is one for the first line that
    begins in a chunk, so that lines between two marks can be asked for by a byte range.
    """

    lines: int
    end: int
    """The byte after the last line that has an end."""
    marks: list[tuple[int, int]]


async def index_of(archive: LogArchive, run_id: str, attempt: int, *, size: int) -> LogIndex:
    """Count a log's lines, a chunk at a time. Raises as `LogArchive.read` does."""
    lines, end, at = 0, 0, 0
    marks = [(0, 0)]
    async for data in archive.stream(run_id, attempt, size=size):
        if (first := data.find(b"\n")) >= 0:
            if at >= CHUNK:
                marks.append((lines + 1, at + first + 1))
            lines += data.count(b"\n")
            end = at + data.rfind(b"\n") + 1
        at += len(data)
    if marks[-1][0] == lines and lines:  # no line begins there that has an end
        marks.pop()
    return LogIndex(lines=lines, end=end, marks=marks)
