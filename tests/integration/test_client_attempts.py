"""A run that is tried again, followed by the SDK over HTTP; the reconciler is real, its cluster is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import pytest
from api_over_http import api_over_http
from api_server import ApiServer
from run_steps import eventually

from daftray import AsyncClient
from daftray.client import LogLine
from daftray.domain.cluster import JobStatus
from daftray.domain.errors import InvalidInputError
from daftray.domain.run import Run
from daftray.domain.spec import Retries
from daftray.domain.status import FailureReason, RunStatus


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        server.rayjobs.script = (JobStatus.RUNNING,)
        driving = asyncio.create_task(server.services.reconciler.serve())
        yield server
        driving.cancel()
        with suppress(asyncio.CancelledError):
            await driving


@pytest.fixture
async def client(api: ApiServer) -> AsyncGenerator[AsyncClient]:
    async with AsyncClient(str(api.http.base_url), api.keys["runner"], project="demo") as client:
        yield client


async def attempt(api: ApiServer, run: Run, number: int, log: bytes, status: JobStatus) -> None:
    """Be the driver of an attempt: write a log, and end."""
    job = f"{run.id}-{number}"

    async def submitted() -> bool:
        return job in api.rayjobs.jobs

    await eventually(submitted, timeout_s=60)
    api.rayjobs.write(job, log)
    api.rayjobs.end(job, status, exit_code=0 if status is JobStatus.SUCCEEDED else 3)


async def test_a_run_is_followed_from_attempt_to_attempt_to_its_end(
    api: ApiServer, client: AsyncClient
) -> None:
    retries = Retries(max=2, on=(FailureReason.USER_ERROR,), backoff=0.01)
    run = await client.runs.create("main.py", retries=retries)
    seen: list[LogLine] = []

    async def follow() -> None:
        async for line in client.runs.follow(run):
            seen.append(line)  # noqa: PERF401 (what was seen until now counts if this fails)

    following = asyncio.create_task(follow())
    await attempt(api, run, 1, b"first of one\nsecond of one\n", JobStatus.FAILED)
    await attempt(api, run, 2, b"of two\n", JobStatus.FAILED)
    await attempt(api, run, 3, b"of three\n", JobStatus.SUCCEEDED)
    async with asyncio.timeout(120):
        await following

    assert [(line.attempt, line.offset, line.message) for line in seen] == [
        (1, 13, "first of one"),
        (1, 27, "second of one"),
        (2, 7, "of two"),
        (3, 9, "of three"),
    ]
    ended = await client.runs.get(run)
    assert (ended.status, ended.attempt) == (RunStatus.SUCCEEDED, 3)
    assert [one.reason for one in ended.attempts] == [FailureReason.USER_ERROR] * 2 + [None]
    assert ended.attempts[0].last_lines == ("first of one", "second of one")
    again = [line async for line in client.runs.follow(run, attempt=1, from_=13)]
    assert [line.message for line in again] == [line.message for line in seen[1:]]


async def test_a_run_that_is_not_tried_again_ends_the_following(api: ApiServer, client: AsyncClient) -> None:
    run = await client.runs.create("main.py", retries=2)

    async def follow() -> list[str]:
        return [line.message async for line in client.runs.follow(run)]

    following = asyncio.create_task(follow())
    await attempt(api, run, 1, b"once\n", JobStatus.FAILED)
    async with asyncio.timeout(120):
        assert await following == ["once"]
    ended = await client.runs.get(run)
    assert (ended.status, ended.reason, ended.attempt) == (RunStatus.FAILED, FailureReason.USER_ERROR, 1)
    assert await follow() == ["once"]


async def test_an_example_of_what_is_refused_is_refused(client: AsyncClient) -> None:
    """What the SDK's document shows, and why it does not show a ref that is not there."""
    with pytest.raises(InvalidInputError) as caught:
        await client.runs.create("../outside.py", priority=1)
    assert [issue.path for issue in caught.value.issues] == ["entrypoint.file.file_path"]
    run = await client.runs.create("missing.py", ref="no-such-branch")
    assert run.status is RunStatus.PENDING
