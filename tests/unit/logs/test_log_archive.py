from __future__ import annotations

import contextlib

import pytest
from factories import a_claim, a_run, new
from fake_ray import FakeRayJobs
from fakes import InMemoryBlobs, InMemoryRunStore
from hypothesis import given, settings
from hypothesis import strategies as st

from daftray.domain.cluster import Job, JobStatus, JobSubmission
from daftray.domain.errors import (
    BlobNotFoundError,
    ClusterUnreachableError,
    LogNotFoundError,
    StaleClaimError,
)
from daftray.domain.ports import Claim
from daftray.domain.run import Attempt, Run
from daftray.domain.status import RunPhase
from daftray.logs.archive import READ_BYTES, READS_PER_COPY, LogArchive
from daftray.logs.chunks import CHUNK
from daftray.logs.masking import Mask
from daftray.logs.signals import LogSignals

MINE = a_claim("mine")
RUNS_ON = (JobStatus.PENDING, JobStatus.RUNNING)


class Copied:
    """A claimed run whose job writes a log, and the archive that copies it."""

    def __init__(self) -> None:
        self.blobs, self.store, self.rayjobs = InMemoryBlobs(), InMemoryRunStore(), FakeRayJobs(RUNS_ON)
        self.signals = LogSignals()
        self.archive = LogArchive(
            blobs=self.blobs, rayjobs=self.rayjobs, runs=self.store, signals=self.signals
        )
        self.run = a_run(phase=RunPhase.RUNNING)
        self.run = self.run.with_attempt(Attempt(number=1, submission_id=self.run.submission_id))
        self.secrets: dict[str, str] = {}

    async def start(self) -> Copied:
        await self.store.add(new(self.run))
        await self.store.claim_due(MINE, limit=1)
        await self.rayjobs.submit(
            JobSubmission(submission_id=self.run.submission_id, entrypoint="true", runtime_env={})
        )
        await self.job()
        return self

    async def job(self) -> Job:
        return await self.rayjobs.get(self.run.submission_id)

    def writes(self, data: bytes) -> None:
        self.rayjobs.write(self.run.submission_id, data)

    def ends(self) -> None:
        self.rayjobs.end(self.run.submission_id, JobStatus.SUCCEEDED)

    async def copy(self, claim: Claim = MINE, run: Run | None = None) -> bool:
        run = run or await self.store.get(self.run.id)
        return await self.archive.copy(run, await self.job(), claim=claim, secrets=self.secrets)

    async def archived(self) -> bytes:
        attempt, size = await self.archive.size(self.run.id)
        return await self.archive.read(self.run.id, attempt, size=size, start=0, end=size)


@pytest.fixture
async def copied() -> Copied:
    return await Copied().start()


async def test_what_is_written_is_archived_bit_by_bit(copied: Copied) -> None:
    assert not await copied.copy()
    copied.writes(b"one\n\xff")
    assert await copied.copy()
    copied.writes(b"two\n")
    assert await copied.copy()
    assert not await copied.copy()
    assert await copied.archived() == b"one\n\xfftwo\n"
    assert len(copied.blobs.blobs) == 1


async def test_full_chunks_are_sealed_and_ranges_cross_them(copied: Copied) -> None:
    log = (bytes(range(251)) * 8400)[: 2 * CHUNK + 100]
    for start in range(0, len(log), CHUNK - 7):
        copied.writes(log[start : start + CHUNK - 7])
        assert await copied.copy()
    assert await copied.archived() == log
    assert sorted(key.rsplit("/", 1)[1] for key in copied.blobs.blobs) == [
        "00000000",
        "00000001",
        "00000002.100",
    ]
    for start, end in [(CHUNK - 3, CHUNK + 3), (5, 2 * CHUNK + 50), (2 * CHUNK, 9 * CHUNK), (7, 7)]:
        read = await copied.archive.read(copied.run.id, 1, size=len(log), start=start, end=end)
        assert read == log[start:end]
        pieces = [
            p async for p in copied.archive.stream(copied.run.id, 1, size=len(log), start=start, end=end)
        ]
        assert b"".join(pieces) == log[start:end]


async def test_one_line_more_writes_little_however_long_the_log_is(
    copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied.writes(b"x" * 999_999)
    await copied.copy()
    written: list[int] = []
    put = copied.blobs.put

    async def counted(key: str, data: bytes) -> None:
        written.append(len(data))
        await put(key, data)

    monkeypatch.setattr(copied.blobs, "put", counted)
    copied.writes(b"one more\n")
    await copied.copy()
    assert 0 < sum(written) <= 256 * 1024


async def test_one_call_copies_a_bounded_part(copied: Copied) -> None:
    copied.writes(b"x" * (READS_PER_COPY * READ_BYTES + 5))
    assert await copied.copy()
    assert (await copied.archive.size(copied.run.id)) == (1, READS_PER_COPY * READ_BYTES)
    assert await copied.copy()
    assert not await copied.copy()
    assert len(await copied.archived()) == READS_PER_COPY * READ_BYTES + 5


async def test_a_writer_that_died_between_the_bytes_and_their_size_loses_nothing(copied: Copied) -> None:
    copied.writes(b"a" * (CHUNK - 10))
    await copied.copy()
    copied.writes(b"b" * 20)
    with pytest.raises(StaleClaimError):
        await copied.copy(claim=a_claim("stale"))
    assert await copied.archived() == b"a" * (CHUNK - 10)
    assert await copied.copy()
    assert await copied.archived() == b"a" * (CHUNK - 10) + b"b" * 20


async def test_a_stale_writer_that_comes_late_changes_no_byte(copied: Copied) -> None:
    copied.writes(b"one\n")
    await copied.copy()
    before = await copied.store.get(copied.run.id)
    copied.writes(b"two\n")
    await copied.copy()
    copied.writes(b"three\n")
    with pytest.raises(StaleClaimError):
        await copied.copy(claim=a_claim("stale"), run=before)
    assert await copied.archived() == b"one\ntwo\n"


async def test_a_reader_of_an_older_size_finds_its_bytes_in_the_newer_chunk(copied: Copied) -> None:
    copied.writes(b"one\n")
    await copied.copy()
    copied.writes(b"two\n")
    await copied.copy()
    assert await copied.archive.read(copied.run.id, 1, size=4, start=1, end=4) == b"ne\n"
    copied.writes(b"x" * CHUNK)
    await copied.copy()
    assert await copied.archive.read(copied.run.id, 1, size=4, start=1, end=4) == b"ne\n"


async def test_a_lost_chunk_is_an_error_and_not_an_empty_log(copied: Copied) -> None:
    copied.writes(b"one\n")
    await copied.copy()
    copied.blobs.blobs.clear()
    with pytest.raises(BlobNotFoundError):
        await copied.archived()


async def test_followers_are_told(copied: Copied) -> None:
    with copied.signals.following(copied.run.id) as changed:
        await copied.copy()
        assert not changed.is_set()
        copied.writes(b"one\n")
        await copied.copy()
        assert changed.is_set()


async def test_the_end_of_a_log_is_held_back_only_until_the_job_has_ended(copied: Copied) -> None:
    copied.secrets = {"TOKEN": "hunter22"}
    copied.writes(b"it is hunter")
    await copied.copy()
    assert await copied.archived() == b"it is "
    copied.writes(b"22, hunt")
    await copied.copy()
    assert await copied.archived() == b"it is ********, "
    copied.ends()
    assert await copied.copy()
    assert not await copied.copy()
    assert await copied.archived() == b"it is ********, hunt"


@pytest.mark.parametrize("most", [0, 1, 7, 9])
async def test_a_read_that_falls_short_is_not_the_end_of_a_log_that_has_ended(
    copied: Copied, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head's tail of a log gives what came in time."""
    read_log, short = copied.rayjobs.read_log, 8

    async def slowly(job: Job, *, offset: int, limit: int) -> bytes:
        nonlocal short
        if limit > 1 and short:
            short -= 1
            limit = limit - READ_BYTES + most
        return await read_log(job, offset=offset, limit=limit)

    monkeypatch.setattr(copied.rayjobs, "read_log", slowly)
    copied.secrets = {"TOKEN": "hunter22"}
    copied.writes(b"a hunter22, it is hunter22 and no hunter21, hunt")
    copied.ends()
    goes_on = True
    while goes_on:
        with contextlib.suppress(ClusterUnreachableError):
            goes_on = await copied.copy()
    assert await copied.archived() == b"a ********, it is ******** and no hunter21, hunt"


async def test_an_attempt_that_there_is_not_has_no_log(copied: Copied) -> None:
    with pytest.raises(LogNotFoundError):
        await copied.archive.size(copied.run.id, 2)


@settings(max_examples=60, deadline=None)
@given(
    writes=st.lists(st.sampled_from([b"token-token", b"tok", b"en-", b"\n", b"x" * 5, b"t"]), max_size=12),
    crashes=st.sets(st.integers(0, 11)),
)
async def test_whatever_the_order_of_writes_polls_and_crashes(writes: list[bytes], crashes: set[int]) -> None:
    copied = await Copied().start()
    copied.secrets = {"TOKEN": "token-token"}
    for number, data in enumerate(writes):
        copied.writes(data)
        if number in crashes:
            # Something new is there for sure only with a byte that begins no secret.
            copied.writes(b".")
            with pytest.raises(StaleClaimError):
                await copied.copy(claim=a_claim("stale"))
        else:
            await copied.copy()
    copied.ends()
    while await copied.copy():
        pass
    written = copied.rayjobs.jobs[copied.run.submission_id].log
    assert await copied.archived() == Mask(["token-token"]).whole(written)
