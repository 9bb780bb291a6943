"""When a helper is sent to the cluster, where to, and what its answer means."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections import Counter
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from daftray.adapters.rayjobs import patience, records, sweeper
from daftray.adapters.rayjobs.jobs import RayJobsClient
from daftray.domain.errors import ClusterRefusedError, ClusterUnreachableError

HEAD, NODE = "aa" * 28, "bb" * 28
SUPERVISOR = "_ray_internal_job_actor_run_1-1"


class Head:
    """Answers as Ray's head does. A helper ends as ``helper_ends`` says, at the first look."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.actors: list[dict[str, Any]] = []
        self.groups: list[dict[str, Any]] = []
        self.nodes = [HEAD, NODE]
        self.dead_actors = 0
        self.submitted: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.deleted: list[str] = []
        self.helper_ends: dict[str, Any] = {"status": "SUCCEEDED"}
        self.sent, self.tidied = asyncio.Event(), asyncio.Event()

    def job(self, name: str = "run_1-1", status: str = "STOPPED", node: str | None = HEAD) -> None:
        self.jobs[name] = {"submission_id": name, "status": status, "driver_node_id": node, "end_time": 1}

    def ray_job(self, number: str, submission_id: str) -> None:
        """Let a Ray job be one of a submission: Ray answers for either id."""
        self.jobs[number] = {"submission_id": submission_id, "job_id": number, "status": "RUNNING"}

    @property
    def asked(self) -> list[dict[str, bool]]:
        """What each helper was asked to sweep, and of which the processes, too."""
        return [json.loads(shlex.split(job["entrypoint"])[-1]) for job in self.submitted]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        match request.method, request.url.path.strip("/").split("/")[1:]:
            case "POST", ["jobs"]:
                asked = json.loads(request.content)
                self.submitted.append(asked)
                self.sent.set()
                self.jobs[asked["submission_id"]] = {"status": "PENDING"} | self.helper_ends
                return httpx.Response(200, json={})
            case "GET", ["jobs", name]:
                # Ray tells the time, by which records are old enough to go.
                headers = {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
                found = self.jobs.get(name)
                return httpx.Response(200, json=found, headers=headers) if found else httpx.Response(404)
            case "POST", ["jobs", name, "stop"]:
                self.stopped.append(name)
                self.jobs[name]["status"] = "STOPPED"
                return httpx.Response(200, json={})
            case "DELETE", ["jobs", name]:
                self.deleted.append(name)
                self.tidied.set()
                return httpx.Response(200, json={})
            case "GET", ["v0", what]:
                return self._listed(what, request.url.params)
            case _:
                return httpx.Response(500, text=str(request.url))

    def _listed(self, what: str, params: httpx.QueryParams) -> httpx.Response:
        rows: list[Any] = {
            "actors": self.actors,
            "placement_groups": self.groups,
            "nodes": [{"node_id": node, "state": "ALIVE"} for node in self.nodes],
        }[what]
        shown = [row for row in rows if params.get("filter_values") in {None, row["state"]}]
        total = len(rows) + self.dead_actors
        found = {"result": shown, "total": total, "num_after_truncation": len(rows)}
        return httpx.Response(200, json={"data": {"result": found}})


def an_actor(ray_job: str, name: str = "", state: str = "ALIVE") -> dict[str, Any]:
    return {"state": state, "job_id": ray_job, "name": name}


@pytest.fixture
def head() -> Head:
    return Head()


@pytest.fixture
async def jobs(head: Head) -> AsyncGenerator[RayJobsClient, None]:
    async with RayJobsClient("http://ray.invalid", token=None, transport=httpx.MockTransport(head)) as client:
        yield client


async def test_a_job_that_left_nothing_costs_no_helper(head: Head, jobs: RayJobsClient) -> None:
    head.job(status="SUCCEEDED")
    head.actors = [
        an_actor("02000000", "theirs"),
        an_actor("01000000", "_ray_internal_job_actor_run_2-1"),
        an_actor("03000000", "mine", state="DEAD"),
    ]
    head.groups = [{"state": "REMOVED", "creator_job_id": "03000000"}]
    head.ray_job("02000000", "run_2-1")
    head.ray_job("03000000", "run_1-1")
    assert await jobs.sweep("run_1-1", processes=False) == ()
    head.job(node=None)
    assert await jobs.sweep("run_1-1", processes=True) == (), "it never had a driver"
    assert await jobs.sweep("run_9-1", processes=False) == (), "Ray knows no such job"
    assert head.submitted == []


@pytest.mark.parametrize("state", ["DEPENDENCIES_UNREADY", "PENDING_CREATION", "ALIVE", "RESTARTING"])
async def test_actors_of_any_of_its_ray_jobs_are_seen(head: Head, jobs: RayJobsClient, state: str) -> None:
    head.job()
    head.actors = [an_actor("02000000"), an_actor("03000000", state=state)]
    head.ray_job("02000000", "run_2-1")
    head.ray_job("03000000", "run_1-1")
    assert await jobs.sweep("run_1-1", processes=False) == ()
    assert head.asked == [{"run_1-1": False}]


async def test_a_supervisor_a_group_and_a_list_that_was_cut_off_are_seen(
    head: Head, jobs: RayJobsClient
) -> None:
    head.job()
    head.actors = [an_actor("01000000", SUPERVISOR)]
    await jobs.sweep("run_1-1", processes=False)
    head.actors, head.groups = [], [{"state": "PENDING", "creator_job_id": "03000000"}]
    head.ray_job("03000000", "run_1-1")
    await jobs.sweep("run_1-1", processes=False)
    head.groups, head.dead_actors = [], 10_001
    await jobs.sweep("run_1-1", processes=False)
    assert head.asked == [{"run_1-1": False}] * 3


async def test_a_job_that_runs_is_stopped_first_and_its_helper_goes_to_its_node(
    head: Head, jobs: RayJobsClient
) -> None:
    head.job(status="RUNNING", node=NODE)
    assert await jobs.sweep("run_1-1") == ()
    assert head.stopped == ["run_1-1"]
    assert head.asked == [{"run_1-1": True}]
    [helper] = head.submitted
    assert helper["entrypoint_label_selector"] == {"ray.io/node-id": NODE}
    assert helper["metadata"] == {"daftray_helper": "sweep"}
    assert not [key for key in helper if key.startswith("entrypoint_num")]


async def test_a_job_that_has_not_ended_is_swept_without_a_look(head: Head, jobs: RayJobsClient) -> None:
    head.job(status="RUNNING")
    assert await jobs.sweep("run_1-1", processes=False) == ()
    assert head.asked == [{"run_1-1": False}]


async def test_nothing_runs_on_a_node_that_is_lost(head: Head, jobs: RayJobsClient) -> None:
    head.job(node="cc" * 28)
    assert await jobs.sweep("run_1-1") == ()
    assert head.submitted == []
    head.actors = [an_actor("01000000", SUPERVISOR)]
    await jobs.sweep("run_1-1")
    assert head.asked == [{"run_1-1": False}]
    assert "entrypoint_label_selector" not in head.submitted[0]


async def test_processes_of_a_job_that_the_head_forgot_may_go_on(head: Head, jobs: RayJobsClient) -> None:
    assert await jobs.sweep("run_1-1") == ()
    assert head.asked == [{"run_1-1": True}]


async def test_what_the_helper_could_not_end_is_told(head: Head, jobs: RayJobsClient) -> None:
    head.job()
    said = 'Job entrypoint command failed, last available logs:\nx\n{"run_1-1": ["actor a", "process 7"]}\n'
    head.helper_ends = {"status": "FAILED", "driver_exit_code": 3, "message": said}
    assert await jobs.sweep("run_1-1") == ("actor a", "process 7")


@pytest.mark.parametrize(
    "ends",
    [
        {"driver_exit_code": 1, "message": "Traceback\nModuleNotFoundError: No module named 'ray'"},
        {"driver_exit_code": 3, "message": "No module named 'ray'"},
        {"driver_exit_code": 1, "message": '{"run_1-1": ["No module named \'ray\'"]}'},
        {"driver_exit_code": None, "message": "No module named 'ray'\n"},
    ],
)
async def test_a_helper_that_failed_is_no_clean_cluster(
    head: Head, jobs: RayJobsClient, ends: dict[str, Any]
) -> None:
    head.job()
    head.helper_ends = {"status": "FAILED", **ends}
    with pytest.raises(ClusterRefusedError, match="No module named 'ray'"):
        await jobs.sweep("run_1-1")


async def test_a_job_that_ray_does_not_see_end_is_told(
    head: Head, jobs: RayJobsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "_SEEN_WITHIN_S", 0.01)
    head.job(status="PENDING", node=None)
    assert await jobs.sweep("run_1-1") == ("its Ray job, which has not ended",)


async def test_sweeps_that_come_together_go_together_and_each_hears_of_its_own(
    head: Head, jobs: RayJobsClient
) -> None:
    for number in range(3):
        head.job(f"run_{number}-1")
    head.job("run_3-1", node=NODE)
    head.helper_ends = {"status": "FAILED", "driver_exit_code": 3, "message": '{"run_1-1": ["actor a"]}'}
    calls = [jobs.sweep(f"run_{number}-1") for number in range(4)]
    assert await asyncio.gather(*calls) == [(), ("actor a",), (), ()]
    assert head.asked == [{"run_0-1": True, "run_1-1": True, "run_2-1": True}, {"run_3-1": True}]


async def test_one_that_is_cut_off_leaves_the_others_to_another(head: Head, jobs: RayJobsClient) -> None:
    head.job()
    head.job("run_2-1")
    head.helper_ends = {"status": "RUNNING"}
    leads, waits = asyncio.create_task(jobs.sweep("run_1-1")), asyncio.create_task(jobs.sweep("run_2-1"))
    await head.sent.wait()
    head.helper_ends = {"status": "SUCCEEDED"}
    leads.cancel()
    assert await waits == ()
    assert head.asked == [{"run_1-1": True, "run_2-1": True}, {"run_2-1": True}]
    assert leads.cancelled()


async def test_a_cluster_that_takes_too_long_is_given_up(
    head: Head, jobs: RayJobsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "BUDGET_S", 0.2)
    head.job()
    head.helper_ends = {"status": "PENDING"}
    with pytest.raises(ClusterUnreachableError, match="run_1-1"):
        await jobs.sweep("run_1-1")


@pytest.mark.parametrize("lost", ["the request", "the answer"])
async def test_a_poor_network_holds_a_sweep_up_but_does_not_end_it(
    head: Head, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr(patience, "PAUSE_S", 0)
    seen: Counter[tuple[str, str]] = Counter()

    def poor(request: httpx.Request) -> httpx.Response:
        call = request.method, str(request.url)
        seen[call] += 1
        first = seen[call] == 1 and sum(seen.values()) > 1
        if first and lost == "the request":
            return httpx.Response(503)
        answer = head(request)
        return httpx.Response(502) if first else answer

    head.job(status="RUNNING")
    async with RayJobsClient("http://ray.invalid", token=None, transport=httpx.MockTransport(poor)) as jobs:
        assert await jobs.sweep("run_1-1") == ()
    assert head.jobs["run_1-1"]["status"] == "STOPPED"
    assert len({job["submission_id"] for job in head.submitted}) == 1, "one helper, however often it is sent"


async def test_the_records_of_helpers_go_once_they_have_ended(
    head: Head, jobs: RayJobsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "_TRY_AGAIN_S", 0)
    monkeypatch.setattr(records, "SETTLED_AFTER_S", 0)
    monkeypatch.setattr(sweeper, "BUDGET_S", 0.2)
    head.job()
    head.helper_ends = {"status": "PENDING"}
    with pytest.raises(ClusterUnreachableError):
        await jobs.sweep("run_1-1")
    [helper] = head.submitted
    assert head.deleted == []
    head.jobs[helper["submission_id"]]["status"] = "SUCCEEDED"
    await head.tidied.wait()
    assert head.deleted == [helper["submission_id"]]


@pytest.mark.parametrize(
    ("ended", "date", "waits"),
    [
        (1_767_225_590_000, "Thu, 01 Jan 2026 00:00:00 GMT", 0),
        (1_767_225_598_000, "Thu, 01 Jan 2026 00:00:00 GMT", 3),
        (1_767_225_700_000, "Thu, 01 Jan 2026 00:00:00 GMT", 5),
        (None, "Thu, 01 Jan 2026 00:00:00 GMT", 5),
        (1_767_225_590_000, None, 5),
        (1_767_225_590_000, "yesterday", 5),
    ],
)
async def test_a_record_stays_until_ray_has_looked_away(
    monkeypatch: pytest.MonkeyPatch, ended: int | None, date: str | None, waits: float
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    def answer(_: httpx.Request) -> httpx.Response:
        headers = {"Date": date} if date else {}
        return httpx.Response(200, json={"status": "FAILED", "end_time": ended}, headers=headers)

    monkeypatch.setattr(records.asyncio, "sleep", sleep)
    async with RayJobsClient("http://ray.invalid", token=None, transport=httpx.MockTransport(answer)) as jobs:
        await jobs.delete("run_1-1")
    assert slept == [waits]
