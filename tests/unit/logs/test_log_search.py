from __future__ import annotations

import pytest
from factories import a_run
from fake_ray import FakeRayJobs
from fakes import InMemoryBlobs, InMemoryRunStore
from hypothesis import given
from hypothesis import strategies as st

from daftray.logs.archive import LogArchive
from daftray.logs.chunks import CHUNK, key_of, spans
from daftray.logs.finding import Scan, holding
from daftray.logs.search import LogMatch, search, tail

RUN = a_run(id="run_1")


async def archive_of(log: bytes) -> LogArchive:
    blobs = InMemoryBlobs()
    for index, start, end in spans(0, len(log)):
        await blobs.put(key_of(RUN.id, 1, index, len(log)), log[index * CHUNK + start : index * CHUNK + end])
    return LogArchive(blobs=blobs, rayjobs=FakeRayJobs(), runs=InMemoryRunStore())


def numbered(lines: int) -> bytes:
    return b"".join(b"%07d %s\n" % (number, b"." * 60) for number in range(lines))


@pytest.mark.parametrize(
    ("lines", "shown"), [(0, b""), (1, b"c"), (2, b"b\nc"), (3, b"a\nb\nc"), (9, b"a\nb\nc")]
)
@pytest.mark.parametrize("end", [b"", b"\n"])
async def test_a_tail_is_the_last_lines(lines: int, shown: bytes, end: bytes) -> None:
    log = b"a\nb\nc" + end
    archive = await archive_of(log)
    expected = shown + end if lines else b""
    assert await tail(archive, RUN.id, 1, size=len(log), lines=lines) == expected


async def test_a_tail_goes_back_over_chunks_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    log = numbered(60_000)
    archive = await archive_of(log)
    assert await tail(archive, RUN.id, 1, size=len(log), lines=10_000) == b"".join(
        log.splitlines(keepends=True)[-10_000:]
    )
    read: list[int] = []
    whole = archive.read

    async def counted(*args: object, start: int, **more: object) -> bytes:
        read.append(start)
        return await whole(*args, start=start, **more)  # type: ignore[arg-type] (passed on as they came)

    monkeypatch.setattr(archive, "read", counted)
    await tail(archive, RUN.id, 1, size=len(log), lines=3)
    assert read == [len(log) - CHUNK]


@given(lines=st.lists(st.text("abB", max_size=5), max_size=20), end=st.sampled_from(["", "\n"]))
async def test_a_search_finds_the_lines_that_hold_the_text(lines: list[str], end: str) -> None:
    log = ("\n".join(lines) + end).encode()
    found = await search(await archive_of(log), RUN.id, 1, size=len(log), text="aB")
    text = log.decode().split("\n")
    expected = [(number, line) for number, line in enumerate(text, 1) if "ab" in line.lower()]
    assert [(match.line, match.message) for match in found.matches] == expected
    for match in found.matches:
        assert log[match.offset :].decode().startswith(match.message)


async def test_a_search_crosses_chunks_and_stops_at_its_limit() -> None:
    log = numbered(60_000)
    archive = await archive_of(log)
    found = await search(archive, RUN.id, 1, size=len(log), text="0059999")
    assert found.matches == [LogMatch(line=60_000, offset=59_999 * 69, message=log[-69:-1].decode())]
    assert not found.more
    some = await search(archive, RUN.id, 1, size=len(log), text=".", limit=7)
    assert [match.line for match in some.matches] == [1, 2, 3, 4, 5, 6, 7]
    assert some.more


async def test_a_line_without_an_end_does_not_fill_the_memory() -> None:
    scan = Scan(holding("needle"))
    for _ in range(5):
        assert list(scan.feed(b"x" * CHUNK)) == []
        assert len(scan._rest) <= CHUNK
    log = b"x" * (3 * CHUNK) + b"needle"
    found = await search(await archive_of(log), RUN.id, 1, size=len(log), text="needle")
    assert [(match.line, len(match.message) <= 2000) for match in found.matches] == [(1, True)]
