"""Where in a log its lines are, and when they came in, whatever is known of its chunks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from factories import NOW, a_claim, a_run, new
from fake_ray import FakeRayJobs
from fakes import FakeClock, InMemoryBlobs, InMemoryRunStore

from daftray.domain.errors import LogRemovedError, StoreUnavailableError
from daftray.domain.run import Attempt, Run
from daftray.domain.status import RunPhase
from daftray.logs.archive import LogArchive
from daftray.logs.chunks import CHUNK
from daftray.logs.fact_store import GROUP, facts_key, group_key
from daftray.logs.facts import Arrival, with_arrival
from daftray.logs.index import Evenly, LogIndex, LogPlace, index_of, place_of

MINE = a_claim("mine")
BEGAN = int(NOW.timestamp())
A_GROUP = GROUP * CHUNK


class CountedBlobs(InMemoryBlobs):
    """Remembers which chunks were read, and refuses facts while ``away``."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []
        self.away = False

    async def get(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        if not key.endswith((".facts", ".group")):
            self.read.append(key)
        return await super().get(key, start=start, end=end)

    async def put(self, key: str, data: bytes) -> None:
        if self.away and key.endswith(".facts"):
            raise StoreUnavailableError
        await super().put(key, data)


class Logged:
    """A run whose log grows as the test says, with what is known of it."""

    def __init__(self) -> None:
        self.clock, self.blobs, self.store = FakeClock(), CountedBlobs(), InMemoryRunStore()
        self.archive = LogArchive(blobs=self.blobs, rayjobs=FakeRayJobs(), runs=self.store, clock=self.clock)
        self.run = a_run(phase=RunPhase.RUNNING)
        self.run = self.run.with_attempt(Attempt(number=1, submission_id=self.run.submission_id))

    async def start(self) -> Logged:
        await self.store.add(new(self.run))
        await self.store.claim_due(MINE, limit=1)
        return self

    async def grow(self, data: bytes, *, after_s: float = 0) -> None:
        self.clock.move(after_s)
        run: Run = await self.store.get(self.run.id)
        await self.archive._append(run, run.current.log_size, data, MINE)

    async def index(self) -> LogIndex:
        _, size = await self.archive.size(self.run.id)
        return await index_of(self.archive, self.run.id, 1, size=size)

    async def place(self, seconds: float) -> LogPlace:
        _, size = await self.archive.size(self.run.id)
        time = datetime.fromtimestamp(BEGAN + seconds, UTC)
        return await place_of(self.archive, self.run.id, 1, size=size, time=time)

    def forget(self, *endings: str) -> None:
        for key in [key for key in self.blobs.blobs if key.endswith(endings)]:
            del self.blobs.blobs[key]


@pytest.fixture
async def logged() -> Logged:
    return await Logged().start()


@pytest.mark.parametrize("known", [True, False], ids=["known", "not known"])
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
async def test_each_mark_is_where_its_line_begins(logged: Logged, data: bytes, known: bool) -> None:
    if data:
        await logged.grow(data)
    if not known:
        logged.forget(".facts")
    found = await logged.index()
    assert found.lines == data.count(b"\n")
    assert found.end == data.rfind(b"\n") + 1
    assert found.marks[0] == (0, 0)
    assert found.marks == sorted(set(found.marks))
    for line, offset in found.marks:
        assert data[:offset].count(b"\n") == line
        assert offset == 0 or data[offset - 1 : offset] == b"\n"
        assert line < found.lines or not found.lines


async def test_of_a_long_log_only_the_last_chunk_is_read(logged: Logged) -> None:
    line = b"a line of some length, as programs print them by the thousand\n"
    data = line * ((A_GROUP + 3 * CHUNK) // len(line))
    await logged.grow(data)
    first = await logged.index()
    assert (first.lines, first.end) == (data.count(b"\n"), len(data))
    growing = [key for key in logged.blobs.blobs if key.rpartition("/")[2].startswith(f"{GROUP + 2:08d}.")]
    assert logged.blobs.read == [key for key in growing if not key.endswith(".facts")]
    # The first group lies together now; its chunks' own facts are not asked for any more.
    assert group_key(logged.run.id, 1, 0) in logged.blobs.blobs
    del logged.blobs.blobs[facts_key(logged.run.id, 1, 0)]
    logged.blobs.read.clear()
    assert await logged.index() == first
    assert len(logged.blobs.read) == 1


async def test_an_older_log_is_read_once(logged: Logged) -> None:
    await logged.grow(b"line\n" * (2 * A_GROUP // 5))
    found = await logged.index()
    logged.forget(".facts", ".group")
    bare = await logged.index()
    assert (bare.lines, bare.end, bare.marks, bare.times) == (found.lines, found.end, found.marks, [])
    logged.blobs.read.clear()
    assert await logged.index() == bare
    assert len(logged.blobs.read) <= GROUP, "those of the last group, which may still grow"


async def test_what_nobody_can_read_is_as_good_as_none(logged: Logged) -> None:
    await logged.grow(b"line\n" * CHUNK)
    found = await logged.index()
    for key in [key for key in logged.blobs.blobs if key.endswith(".facts")]:
        logged.blobs.blobs[key] = b'{"size": "large"}'
    assert (await logged.index()).marks == found.marks


async def test_lines_have_the_times_at_which_they_came_in(logged: Logged) -> None:
    await logged.grow(b"one\ntwo\n")
    await logged.grow(b"three\n", after_s=0.2)
    await logged.grow(b"four\nfi", after_s=10)
    await logged.grow(b"ve\n" + b"x\n" * CHUNK, after_s=10)
    assert (await logged.index()).times == [
        (0, BEGAN),
        (3, BEGAN + 10),
        (4, BEGAN + 20),
        *[(5 + (border - 24) // 2, BEGAN + 20) for border in (CHUNK, 2 * CHUNK)],
    ]


@pytest.mark.parametrize("grouped", [True, False], ids=["grouped", "not grouped"])
async def test_a_time_leads_to_the_first_line_that_came_in_then(logged: Logged, grouped: bool) -> None:
    await logged.grow(b"a\nb\n")
    for _ in range(20):
        await logged.grow(b"soon after\n", after_s=5)
    await logged.grow(b"x" * 63 + b"\n", after_s=100)
    await logged.grow((b"y" * 63 + b"\n") * ((A_GROUP + CHUNK) // 64), after_s=100)
    if grouped:
        await logged.index()
        assert group_key(logged.run.id, 1, 0) in logged.blobs.blobs
    _, size = await logged.archive.size(logged.run.id)
    for seconds, line, offset in [(-5, 1, 0), (0, 1, 0), (0.5, 3, 4), (5, 3, 4), (6, 4, 15), (101, 23, 224)]:
        assert ((found := await logged.place(seconds)).line, found.offset) == (line, offset), seconds
        assert found.time is not None
        assert found.time.timestamp() >= BEGAN + seconds
    assert (await logged.place(300)).line == 24
    lines = (await logged.index()).lines
    assert await logged.place(301) == LogPlace(line=lines + 1, offset=size)


async def test_a_log_of_no_known_times_leads_to_its_end(logged: Logged) -> None:
    await logged.grow(b"one\ntwo\n")
    logged.forget(".facts")
    assert await logged.place(0) == LogPlace(line=3, offset=8)


async def test_facts_that_cannot_be_kept_cost_no_byte_of_the_log(logged: Logged) -> None:
    logged.blobs.away = True
    await logged.grow(b"one\n")
    logged.blobs.away = False
    await logged.grow(b"two\n", after_s=3)
    _, size = await logged.archive.size(logged.run.id)
    assert await logged.archive.read(logged.run.id, 1, size=size, start=0, end=size) == b"one\ntwo\n"
    assert (await logged.index()).times == [(1, BEGAN + 3)]


async def test_facts_of_a_log_that_goes_just_now_do_not_stay(
    logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    await logged.grow(b"line\n" * ((A_GROUP + CHUNK) // 5 + 1))
    _, size = await logged.archive.size(logged.run.id)

    async def removed(*_: object) -> tuple[int, int]:
        raise LogRemovedError

    monkeypatch.setattr(logged.archive, "size", removed)
    with pytest.raises(LogRemovedError):
        await index_of(logged.archive, logged.run.id, 1, size=size)
    assert not [key for key in logged.blobs.blobs if key.endswith(".group")]


def test_a_chunk_that_takes_a_week_has_few_times() -> None:
    arrivals: Sequence[Arrival] = []
    for second in range(0, 7 * 24 * 3600, 4):
        arrivals = with_arrival(arrivals, Arrival(second // 4, 0, second))
    steps = {after.at - before.at for before, after in pairwise(arrivals)}
    assert min(steps) == 4
    assert max(steps) <= 600
    assert len(arrivals) < 9000
    far = arrivals[-1]._replace(offset=arrivals[-1].offset + 300, at=arrivals[-1].at + 1)
    assert len(with_arrival(arrivals, far)) == len(arrivals) + 1, "much came in at once"
    assert with_arrival(arrivals, far._replace(at=arrivals[-1].at)) is arrivals


def test_some_of_many_are_kept_evenly() -> None:
    some = Evenly(10)
    for number in range(1000):
        some.add((number, number))
    steps = {after[0] - before[0] for before, after in pairwise(some.kept)}
    assert len(steps) == 1
    assert 5 <= len(some.kept) <= 10
