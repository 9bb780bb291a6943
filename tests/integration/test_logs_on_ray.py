"""Logs of real drivers: archived to the byte, followed with interruptions, and read through the head."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from factories import a_claim, a_run, new
from fakes import FakeClock, InMemoryRunStore
from msgspec.structs import replace

from daftray.adapters.blobs.store import ObjectBlobs
from daftray.adapters.rayjobs import logs
from daftray.adapters.rayjobs.jobs import RayJobsClient
from daftray.domain.cluster import Job, JobSubmission
from daftray.domain.errors import ClusterUnreachableError
from daftray.domain.ids import Ids
from daftray.domain.run import Attempt, Run, Verdict
from daftray.domain.status import RunPhase, RunStatus
from daftray.logs.archive import LogArchive
from daftray.logs.follow import LogBatch, LogEnd, LogFollower
from daftray.logs.signals import LogSignals
from daftray.server.local_ray import LocalCluster

pytestmark = pytest.mark.ray

MINE = a_claim("mine")
LINES = 200_000
SECRET = "hunter2-hunter2"

WRITES = f"""
import sys
with open(sys.argv[1], "wb") as copy:
    for number in range({LINES}):
        line = b"%06d \\xff\\xfe {SECRET} \\xe2\\x82\\xac\\r\\n" % number
        copy.write(line)
        sys.stdout.buffer.write(line)
"""


@pytest.fixture
async def jobs(ray_cluster: LocalCluster) -> AsyncGenerator[RayJobsClient, None]:
    async with RayJobsClient(ray_cluster.url, token=ray_cluster.token) as client:
        yield client


async def test_two_hundred_thousand_lines_of_any_bytes(jobs: RayJobsClient, tmp_path: Path) -> None:
    store, signals, stopping = InMemoryRunStore(), LogSignals(), asyncio.Event()
    archive = LogArchive(blobs=ObjectBlobs(tmp_path / "blobs"), rayjobs=jobs, runs=store, signals=signals)
    follower = LogFollower(archive=archive, runs=store, signals=signals, clock=FakeClock(), stopping=stopping)
    run = a_run(phase=RunPhase.RUNNING, status=RunStatus.RUNNING)
    run = run.with_attempt(Attempt(number=1, submission_id=run.submission_id))
    await store.add(new(run))
    await store.claim_due(MINE, limit=1)
    following = asyncio.create_task(followed_with_interruptions(follower, run.id))

    script, copy = tmp_path / "writes.py", tmp_path / "copy"
    await asyncio.to_thread(script.write_text, WRITES)
    entrypoint = shlex.join(["python", str(script), str(copy)])
    await jobs.submit(JobSubmission(submission_id=run.submission_id, entrypoint=entrypoint, runtime_env={}))
    await archived_to_the_end(archive, store, jobs, run)
    await end(store, run)

    size = (await archive.size(run.id))[1]
    archived = b"".join([piece async for piece in archive.stream(run.id, 1, size=size)])
    written = (await asyncio.to_thread(copy.read_bytes)).replace(SECRET.encode(), b"*" * len(SECRET))
    # Ray adds lines of its own, before or after the program's.
    at = archived.index(written)
    assert written.count(b"\n") == LINES
    assert SECRET.encode() not in archived
    assert archived[:at].count(b"\n") + archived[at + len(written) :].count(b"\n") <= 2

    interruptions, messages, offsets = await following
    assert interruptions == 5
    assert "\n".join([*messages, ""]) == archived.decode(errors="replace")
    assert offsets == sorted(set(offsets))


async def archived_to_the_end(
    archive: LogArchive, store: InMemoryRunStore, jobs: RayJobsClient, run: Run
) -> None:
    for _ in range(600):
        job = await jobs.get(run.submission_id)
        now = await store.get(run.id)
        grew = await archive.copy(now, job, claim=MINE, secrets={"TOKEN": SECRET})
        if job.status.terminal and not grew:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the job did not end")


async def end(store: InMemoryRunStore, run: Run) -> None:
    now = await store.get(run.id)
    for phase in (RunPhase.HARVESTING, RunPhase.DONE):
        now, event = now.advance(phase, FakeClock().now(), verdict=Verdict(status=RunStatus.SUCCEEDED))
        await store.save(now, [event], MINE)


async def followed_with_interruptions(follower: LogFollower, run_id: str) -> tuple[int, list[str], list[int]]:
    """Follow a log and drop the stream five times on the way; go on each time with the last line's offset."""
    messages: list[str] = []
    offsets = [0]
    interruptions = 0
    while True:
        stream = follower.follow(run_id, offset=offsets[-1])
        async for part in stream:
            if isinstance(part, LogEnd):
                assert part == LogEnd(status=RunStatus.SUCCEEDED, offset=offsets[-1])
                return interruptions, messages, offsets
            assert isinstance(part, LogBatch)
            # A client that is cut off may have seen any part of what was sent.
            interrupted = interruptions < 5 and len(part.lines) > 1
            seen = part.lines[: len(part.lines) // 2] if interrupted else part.lines
            messages += [line.message for line in seen]
            offsets += [line.offset for line in seen]
            if interrupted:
                interruptions += 1
                break
        await stream.aclose()


async def test_a_log_is_read_through_the_head_where_its_node_cannot_be_reached(
    jobs: RayJobsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"logs_{Ids().token()}"
    script = "print('\\u20ac' * 10_000); print('the end')"
    await jobs.submit(
        JobSubmission(submission_id=name, entrypoint=f"python -c {shlex.quote(script)}", runtime_env={})
    )
    job = await ended(jobs, name)
    whole = await jobs.read_log(job, offset=0, limit=1 << 20)
    assert b"the end" in whole
    nowhere = replace(job, log_address="http://127.0.0.1:9")
    with pytest.raises(ClusterUnreachableError):  # it may come back, and gives more than the head does
        await jobs.read_log(nowhere, offset=0, limit=1 << 20)
    monkeypatch.setattr(logs, "_AGENT_PATIENCE_S", 0)
    assert await jobs.read_log(nowhere, offset=0, limit=1 << 20) == whole
    # An offset within a character, and a range across the tail's messages.
    assert await jobs.read_log(nowhere, offset=500, limit=20_000) == whole[500:20_500]


async def ended(jobs: RayJobsClient, name: str) -> Job:
    for _ in range(300):
        job = await jobs.get(name)
        if job.status.terminal:
            return job
        await asyncio.sleep(0.1)
    pytest.fail("the job did not end")
