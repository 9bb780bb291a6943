from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest
from factories import a_claim, a_run, new
from fake_ray import FakeRayJobs
from fakes import FakeClock, InMemoryBlobs, InMemoryRunStore
from msgspec.structs import replace

from daftray.domain.errors import LogNotFoundError, RunNotFoundError
from daftray.domain.run import Attempt, Run, Verdict
from daftray.domain.status import RunPhase, RunStatus
from daftray.logs import follow
from daftray.logs.archive import LogArchive
from daftray.logs.chunks import CHUNK, key_of, spans
from daftray.logs.follow import LogBatch, LogEnd, LogFollower, LogPiece
from daftray.logs.signals import LogSignals

MINE = a_claim("mine")
ENDED = Verdict(status=RunStatus.FAILED)


class Followed:
    """A run whose archived log grows as the test says."""

    def __init__(self) -> None:
        self.blobs, self.store, self.clock = InMemoryBlobs(), InMemoryRunStore(), FakeClock()
        self.signals, self.stopping = LogSignals(), asyncio.Event()
        self.follower = LogFollower(
            archive=LogArchive(blobs=self.blobs, rayjobs=FakeRayJobs(), runs=self.store),
            runs=self.store,
            signals=self.signals,
            clock=self.clock,
            stopping=self.stopping,
        )
        self.run = a_run(phase=RunPhase.RUNNING, status=RunStatus.RUNNING)
        self.run = self.run.with_attempt(Attempt(number=1, submission_id=self.run.submission_id))
        self.log = b""

    async def start(self) -> Followed:
        await self.store.add(new(self.run))
        await self.store.claim_due(MINE, limit=1)
        return self

    async def grow(self, data: bytes) -> None:
        self.log += data
        for index, _, _ in spans(0, len(self.log)):
            piece = self.log[index * CHUNK : (index + 1) * CHUNK]
            await self.blobs.put(key_of(self.run.id, 1, index, len(self.log)), piece)
        await self.store.save_log_size(self.run.id, 1, len(self.log), MINE)
        self.signals.notify(self.run.id)

    async def end(self, *phases: RunPhase) -> None:
        run: Run = replace(await self.store.get(self.run.id), cancel_requested_at=None)
        for phase in phases or (RunPhase.HARVESTING, RunPhase.DONE):
            run, event = run.advance(phase, self.clock.now(), verdict=ENDED)
            await self.store.save(run, [event], MINE)
        self.signals.notify(self.run.id)

    def follow(self, offset: int = 0) -> AsyncGenerator[LogBatch | LogEnd, None]:
        return self.follower.follow(self.run.id, offset=offset)


@pytest.fixture
async def followed() -> Followed:
    return await Followed().start()


async def everything(stream: AsyncGenerator[LogBatch | LogEnd, None]) -> list[tuple[int, str] | LogEnd]:
    shown: list[tuple[int, str] | LogEnd] = []
    async for part in stream:
        if isinstance(part, LogEnd):
            shown.append(part)
        else:
            shown += [(line.offset, line.message) for line in part.lines]
    return shown


async def test_lines_come_as_they_are_written_and_the_end_comes_last(followed: Followed) -> None:
    await followed.grow(b"one\ntw")
    stream = followed.follow()
    first = await anext(stream)
    assert isinstance(first, LogBatch)
    assert [(line.offset, line.message) for line in first.lines] == [(4, "one")]
    assert first.timestamp == "2026-11-01T12:00:00.000000Z"
    rest = asyncio.create_task(everything(stream))
    await followed.grow(b"o\nthree")
    await followed.end()
    assert await rest == [(8, "two"), (13, "three"), LogEnd(status=RunStatus.FAILED, offset=13)]


async def test_a_log_whose_last_bytes_are_fetched_has_not_ended(followed: Followed) -> None:
    await followed.grow(b"one\n")
    await followed.end(RunPhase.HARVESTING)
    stream = followed.follow()
    first = await anext(stream)
    assert isinstance(first, LogBatch)
    rest = asyncio.create_task(everything(stream))
    await until(lambda: bool(followed.signals._followers) and waits(followed))
    await followed.grow(b"two\n")
    await followed.end(RunPhase.DONE)
    assert await rest == [(8, "two"), LogEnd(status=RunStatus.FAILED, offset=8)]


async def test_a_stream_goes_on_where_the_last_one_was_cut_off(followed: Followed) -> None:
    await followed.grow(b"one\ntwo\n\xff\n")
    await followed.end()
    whole = await everything(followed.follow())
    assert whole == [(4, "one"), (8, "two"), (10, "\ufffd"), LogEnd(status=RunStatus.FAILED, offset=10)]
    for position, part in enumerate(whole[:-1]):
        assert isinstance(part, tuple)
        assert await everything(followed.follow(part[0])) == whole[position + 1 :]


async def test_a_run_without_a_log_just_ends(followed: Followed) -> None:
    await followed.end()
    assert await everything(followed.follow()) == [LogEnd(status=RunStatus.FAILED, offset=0)]


async def test_a_server_that_stops_cuts_the_stream_off_without_an_end(followed: Followed) -> None:
    await followed.grow(b"one\n")
    task = asyncio.create_task(everything(followed.follow()))
    await until(lambda: bool(followed.signals._followers))
    followed.stopping.set()
    assert await task in ([], [(4, "one")]), "no end is told of: whoever follows comes again"


async def test_a_server_that_stops_does_not_send_the_rest_of_a_long_log_first(followed: Followed) -> None:
    await followed.grow(b"a line\n" * 100_000)
    stream = followed.follow()
    await anext(stream)
    followed.stopping.set()
    assert await everything(stream) == []


async def test_nothing_is_kept_for_runs_that_nobody_follows(followed: Followed) -> None:
    await followed.end()
    await everything(followed.follow())
    followed.signals.notify(followed.run.id)
    assert followed.signals._followers == {}


async def test_an_older_attempt_has_an_end_of_its_own(followed: Followed) -> None:
    await followed.grow(b"one\n")
    run = await followed.store.get(followed.run.id)
    await followed.store.save(replace(run, attempt=2), [], MINE)
    stream = followed.follower.follow(followed.run.id, attempt=1)
    assert await everything(stream) == [(4, "one"), LogEnd(status=RunStatus.FAILED, offset=4)]


async def test_many_lines_come_in_few_batches(followed: Followed) -> None:
    await followed.grow(b"".join(b"line %d\n" % number for number in range(50_000)))
    await followed.end()
    batches = [part async for part in followed.follow() if isinstance(part, LogBatch)]
    assert len(batches) < 5
    assert sum(len(batch.lines) for batch in batches) == 50_000


async def test_a_quiet_run_says_now_and_then_that_it_goes_on(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "POLL_S", 0)
    still_there = await anext(followed.follow())
    assert still_there == LogBatch("2026-11-01T12:00:00.000000Z", [])


async def test_what_is_not_there_is_said_at_once(followed: Followed) -> None:
    with pytest.raises(RunNotFoundError):
        await anext(followed.follower.follow("run_none"))
    with pytest.raises(LogNotFoundError):
        await anext(followed.follower.follow(followed.run.id, attempt=7))


async def test_text_comes_in_large_pieces_and_says_when_it_came(followed: Followed) -> None:
    written = b"".join(b"line %d\n" % number for number in range(50_000))
    await followed.grow(written)
    stream = followed.follower.pieces(followed.run.id, offset=7)
    pieces = [await anext(stream) for _ in range(3)]
    await followed.grow(b"new\nla")
    pieces.append(await anext(stream))
    await followed.grow(b"st")
    await followed.end()
    pieces += [part async for part in stream]
    text, now = "", int(followed.clock.now().timestamp())
    for piece in pieces[:-1]:
        assert isinstance(piece, LogPiece)
        text += piece.text
        assert piece.at == (None if piece.offset <= len(written) else now)
    assert text.encode() == (written + b"new\nlast")[7:]
    assert pieces[-2] == LogPiece(now, len(written) + 8, "last")
    assert pieces[-1] == LogEnd(status=RunStatus.FAILED, offset=len(written) + 8)
    assert len(pieces) == 6


async def test_a_line_without_an_end_is_sent_in_parts(followed: Followed) -> None:
    await followed.grow(b"x" * CHUNK * 3)
    stream = followed.follower.pieces(followed.run.id)
    first = await anext(stream)
    assert isinstance(first, LogPiece)
    assert len(first.text) > CHUNK - 10
    await followed.end()
    *parts, _ = [part async for part in stream]
    assert sum(len(part.text) for part in parts if isinstance(part, LogPiece)) + len(first.text) == CHUNK * 3


def waits(followed: Followed) -> bool:
    return any(event._waiters for event in followed.signals._followers[followed.run.id])


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0)
    pytest.fail("it did not come about")
