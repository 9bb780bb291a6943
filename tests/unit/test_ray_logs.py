"""Whom a driver's log is read from: its node's agent, and the head only where that stays silent."""

from __future__ import annotations

import httpx
import pytest

from daftray.adapters.rayjobs import logs
from daftray.adapters.rayjobs.jobs import RayJobsClient
from daftray.domain.cluster import Job, JobStatus
from daftray.domain.errors import ClusterUnreachableError

JOB = Job(submission_id="run_1-1", status=JobStatus.SUCCEEDED, log_address="http://node.invalid:1")


class Agent:
    """A node's agent, which answers or does not."""

    def __init__(self) -> None:
        self.silent = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host == "node.invalid"
        if self.silent:
            raise httpx.ConnectError("nobody there")
        return httpx.Response(206, content=b"the log")


async def from_head(_self: logs.DriverLogs, submission_id: str, _offset: int, _limit: int) -> bytes:
    return submission_id.encode()


async def test_the_head_is_asked_only_where_the_agent_stays_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs.DriverLogs, "_from_head", from_head)
    agent = Agent()
    async with RayJobsClient("http://ray.invalid", token=None, transport=httpx.MockTransport(agent)) as jobs:
        assert await jobs.read_log(JOB, offset=0, limit=100) == b"the log"
        agent.silent = True
        for _ in range(2):  # what the head would give now may lack what it cannot read
            with pytest.raises(ClusterUnreachableError, match=r"node\.invalid"):
                await jobs.read_log(JOB, offset=7, limit=100)
        monkeypatch.setattr(logs, "_AGENT_PATIENCE_S", 0)
        assert await jobs.read_log(JOB, offset=0, limit=100) == b"run_1-1"
        agent.silent = False
        assert await jobs.read_log(JOB, offset=0, limit=100) == b"the log"
        monkeypatch.undo()
        agent.silent = True
        with pytest.raises(ClusterUnreachableError, match=r"node\.invalid"):
            await jobs.read_log(JOB, offset=7, limit=100)


async def test_agents_that_are_gone_are_forgotten_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_MOST_AGENTS", 3)
    agent = Agent()
    agent.silent = True
    async with RayJobsClient("http://ray.invalid", token=None, transport=httpx.MockTransport(agent)) as jobs:
        for port in range(1, 10):
            job = Job(
                submission_id="run_1-1",
                status=JobStatus.SUCCEEDED,
                log_address=f"http://node.invalid:{port}",
            )
            with pytest.raises(ClusterUnreachableError):
                await jobs.read_log(job, offset=0, limit=1)
        assert len(jobs._logs._silent_since) == 3
