"""What Ray's answers, and its silence, mean to daftray."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from daftray.adapters.rayjobs.jobs import RayJobsClient, Timeouts
from daftray.adapters.rayjobs.wire import JobDetails
from daftray.domain.cluster import Job, JobStatus, JobSubmission
from daftray.domain.errors import (
    ClusterError,
    ClusterRefusedError,
    ClusterUnreachableError,
    JobExistsError,
    JobNotFoundError,
)

URL = "http://ray.invalid:8265"
TRACEBACK = 'Traceback (most recent call last):\n  File "job_head.py", line 1, in submit\n'
Answer = Callable[[httpx.Request], httpx.Response]


def jobs(answer: Answer | httpx.Response | Exception, *, token: str | None = "t0ken") -> RayJobsClient:
    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)

    return RayJobsClient(URL, token=token, transport=httpx.MockTransport(handle))


SUBMISSION = JobSubmission(submission_id="run_1-1", entrypoint="true", runtime_env={})


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (
            httpx.ConnectError("no route to host"),
            ClusterUnreachableError,
            "address that of the Ray dashboard",
        ),
        (httpx.ReadTimeout("silent"), ClusterUnreachableError, "does not answer in time"),
        (httpx.RemoteProtocolError("cut off"), ClusterUnreachableError, "cannot be reached"),
        (httpx.Response(401, text="Unauthorized"), ClusterRefusedError, "DAFTRAY_RAY_TOKEN"),
        (httpx.Response(403, text="Forbidden"), ClusterRefusedError, "DAFTRAY_RAY_TOKEN"),
        (httpx.Response(503), ClusterUnreachableError, "HTTP 503"),
        (httpx.Response(429, text="Max number of in-progress requests"), ClusterUnreachableError, "HTTP 429"),
        (
            httpx.Response(500, text=TRACEBACK + "ray.exceptions.RpcError: Deadline Exceeded\n"),
            ClusterUnreachableError,
            "RpcError: Deadline Exceeded",
        ),
        (
            httpx.Response(500, text=TRACEBACK + "TimeoutError: Failed to get head node agent within 10 s"),
            ClusterUnreachableError,
            "head node agent",
        ),
        (
            httpx.Response(500, text="No available agent to submit job, please try again later."),
            ClusterUnreachableError,
            "No available agent",
        ),
        (
            httpx.Response(500, text=TRACEBACK + "Job with submission_id run_1-1 already exists. Please …"),
            JobExistsError,
            "run_1-1",
        ),
        (httpx.Response(500, text=TRACEBACK + "KeyError: 'x'"), ClusterRefusedError, "KeyError: 'x'"),
        # Not Ray's: its refusals are tracebacks. Something between it and us has had a bad moment.
        (httpx.Response(500, text="Internal Server Error"), ClusterUnreachableError, "HTTP 500"),
        (
            httpx.Response(400, text=TRACEBACK + "TypeError: metadata"),
            ClusterRefusedError,
            "TypeError: metadata",
        ),
    ],
)
async def test_a_submission_that_failed(
    answer: httpx.Response | Exception, error: type[ClusterError], says: str
) -> None:
    async with jobs(answer) as client:
        with pytest.raises(error, match=says) as raised:
            await client.submit(SUBMISSION)
    assert type(raised.value) is error
    assert "Traceback" not in raised.value.detail
    assert "t0ken" not in raised.value.detail


async def test_an_agents_traceback_in_the_heads_ends_with_what_went_wrong() -> None:
    text = TRACEBACK + f"RuntimeError: Request failed with status code 500: {TRACEBACK}KeyError: 'x'\n."
    async with jobs(httpx.Response(500, text=text)) as client:
        with pytest.raises(ClusterRefusedError, match="KeyError: 'x'"):
            await client.stop("x")


async def test_a_job_that_ray_does_not_know() -> None:
    for answer in (
        httpx.Response(404, text="Job x does not exist"),
        httpx.Response(500, text=TRACEBACK + "RuntimeError: Job 'x' does not exist."),
    ):
        async with jobs(answer) as client:
            with pytest.raises(JobNotFoundError):
                await client.get("x")


@pytest.mark.parametrize("content", [b"<html>", b"{}", b'{"status": "DREAMING"}'])
async def test_an_answer_that_is_none_of_rays(content: bytes) -> None:
    async with jobs(httpx.Response(200, content=content)) as client:
        with pytest.raises(ClusterRefusedError, match="address that of a Ray dashboard"):
            await client.get("x")


async def test_a_job_may_have_fields_that_are_new_to_daftray() -> None:
    told = {"status": "PENDING", "submission_id": "x", "something_new": [1]}
    async with jobs(httpx.Response(200, json=told)) as client:
        assert await client.get("x") == Job(submission_id="x", status=JobStatus.PENDING)


@pytest.mark.parametrize(("token", "header"), [("t0ken", "Bearer t0ken"), (None, None)])
async def test_the_token_goes_with_every_call(token: str | None, header: str | None) -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("Authorization"))
        return httpx.Response(206, content=b"log")

    async with jobs(answer, token=token) as client:
        await client.submit(SUBMISSION)
        await client.stop("x")
        job = Job(submission_id="x", status=JobStatus.RUNNING, log_address="http://node.invalid:52365")
        assert await client.read_log(job, offset=0, limit=3) == b"log"
    assert seen == [header] * 3


async def test_a_server_that_knows_no_ranges_gives_the_same_bytes() -> None:
    async with jobs(httpx.Response(200, content=b"0123456789")) as client:
        job = Job(submission_id="x", status=JobStatus.RUNNING, log_address="http://node.invalid:52365")
        assert await client.read_log(job, offset=3, limit=4) == b"3456"


async def test_a_log_file_that_is_not_there_yet_is_empty() -> None:
    async with jobs(httpx.Response(404)) as client:
        job = Job(submission_id="x", status=JobStatus.PENDING, log_address="http://node.invalid:52365")
        assert await client.read_log(job, offset=0, limit=4) == b""


async def test_a_head_that_says_nothing_does_not_hold_us_up() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        timeouts = Timeouts(connect_s=0.2, read_s=0.2, submit_s=0.2, upload_s=0.2)
        async with RayJobsClient(url, token=None, timeouts=timeouts) as client:
            asked = (client.info(), client.resources(), client.get("x"), client.submit(SUBMISSION))
            told = (client.stop("x"), client.sweep("x"), client.delete("x"))
            for call in (*asked, *told):
                with pytest.raises(ClusterUnreachableError):
                    await asyncio.wait_for(call, 10)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("http://10.0.0.7:52365", "http://10.0.0.7:52365"),
        ("http://[fd00::1]:52365", "http://[fd00::1]:52365"),
        ("http://node-1.example", "http://node-1.example"),
        ("", None),
        (None, None),
        ("http://169.254.169.254/latest/meta-data?", None),
        ("http://user@host:1", None),
        ("http://host#", None),
        ("file:///etc", None),
        ("http://host:1\r\nX: y", None),
    ],
)
def test_a_jobs_agent_is_an_address_and_no_more(told: str | None, kept: str | None) -> None:
    details = JobDetails(status=JobStatus.RUNNING, driver_agent_http_address=told)
    assert details.as_job("run_1-1").log_address == kept
