"""Where in a log its lines are, whatever the lines and the borders of chunks are."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest

from daftray.logs.archive import LogArchive
from daftray.logs.chunks import CHUNK
from daftray.logs.index import LogIndex, index_of


class Chunks:
    """An archive of one log, as far as the index asks for it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def stream(self, *_: Any, size: int) -> AsyncGenerator[bytes]:
        for at in range(0, size, CHUNK):
            yield self._data[at : min(size, at + CHUNK)]


async def indexed(data: bytes) -> LogIndex:
    return await index_of(cast("LogArchive", Chunks(data)), "run_1", 1, size=len(data))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no end",
        b"one\n",
        b"one\ntwo\nrest",
        b"x" * 99 + b"\n" + b"y" * CHUNK * 3 + b"\nshort\n",
        b"a line of some length\n" * 60_000,
        b"\n" * (CHUNK * 2),
        (b"z" * (CHUNK - 1) + b"\n") * 3,
        b"x" * CHUNK * 2 + b"\n",
    ],
    ids=range(9),
)
async def test_each_mark_is_where_its_line_begins(data: bytes) -> None:
    found = await indexed(data)
    assert found.lines == data.count(b"\n")
    assert found.end == data.rfind(b"\n") + 1
    assert found.marks[0] == (0, 0)
    assert found.marks == sorted(set(found.marks))
    for line, offset in found.marks:
        assert data[:offset].count(b"\n") == line
        assert offset == 0 or data[offset - 1 : offset] == b"\n"
        assert line < found.lines or not found.lines
