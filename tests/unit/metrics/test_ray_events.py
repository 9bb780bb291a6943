"""Ray's events, in the form that Ray 2.59 was seen to post them: repeated, in any order, of any job."""

from __future__ import annotations

import base64
import json
import random
from datetime import timedelta
from typing import Any

import pytest
from factories import NOW
from hypothesis import given
from hypothesis import strategies as st

from daftray.domain.cluster import ReservedCpu
from daftray.domain.errors import InvalidInputError
from daftray.metrics import ray_events
from daftray.metrics.ray_events import RayEvents

JOB = base64.b64encode(b"\2\0\0\0").decode()
DASHBOARD = base64.b64encode(b"\1\0\0\0").decode()


def time(seconds: float) -> str:
    return f"{(NOW + timedelta(seconds=seconds)).isoformat().removesuffix('+00:00')}.123456789Z"


def event(kind: str, at: float = 0, session: str = "s1", **content: Any) -> dict[str, Any]:
    field = kind.title().replace("_", "")
    field = field[0].lower() + field[1:]
    return {
        "eventId": kind,
        "eventType": kind,
        "sessionName": session,
        "timestamp": time(at),
        field: content,
    }


def states(**at: float) -> list[dict[str, str]]:
    return [{"state": state, "timestamp": time(seconds)} for state, seconds in at.items()]


def job(submission: str = "run_1-1", **more: Any) -> dict[str, Any]:
    config = {"metadata": {"job_submission_id": submission}, "serializedRuntimeEnv": "{}"}
    return event("DRIVER_JOB_DEFINITION_EVENT", jobId=JOB, config=config, **more)


def task(name: str, cpus: float, *, attempt: int = 0, kind: str = "NORMAL_TASK", **at: float) -> list[Any]:
    of: dict[str, Any] = {"jobId": JOB, "taskId": name, "taskAttempt": attempt}
    asked = {"CPU": cpus} if cpus else {}
    last = max(at.values(), default=0)
    return [
        event("TASK_DEFINITION_EVENT", **of, taskType=kind, requiredResources=asked),
        *(
            event("TASK_LIFECYCLE_EVENT", at=last, **of, stateTransitions=states(**{state: seconds}))
            for state, seconds in at.items()
        ),
    ]


def actor(name: bytes, cpus: float, *, owner: str = JOB, called: str = "", **at: float) -> list[Any]:
    actor_id = base64.b64encode(name.rjust(12, b"a") + base64.b64decode(owner)).decode()
    return [
        event(
            "ACTOR_DEFINITION_EVENT",
            jobId=owner,
            actorId=actor_id,
            name=called,
            requiredResources={"CPU": cpus} if cpus else {},
        ),
        event(
            "ACTOR_LIFECYCLE_EVENT",
            at=max(at.values(), default=0),
            actorId=actor_id,
            stateTransitions=states(**at),
        ),
    ]


def reserved(*events: Any, of: str = "run_1-1") -> ReservedCpu | None:
    known = RayEvents()
    known.add(json.dumps(events).encode())
    return known.of(of)


ALL = [
    job(),
    *task("t1", 0.5, PENDING_NODE_ASSIGNMENT=0, RUNNING=1, FINISHED=5),
    *task("t2", 2, RUNNING=1, FAILED=2),
    *task("t2", 2, attempt=1, RUNNING=3, FINISHED=4),
    *task("made", 1, kind="ACTOR_CREATION_TASK", RUNNING=0, FINISHED=1),
    *task("called", 1, kind="ACTOR_TASK", RUNNING=0, FINISHED=9),
    *task("free", 0, RUNNING=0, FINISHED=9),
    *actor(b"held", 1, PENDING_CREATION=0, ALIVE=1, DEAD=9),
    *actor(b"super", 0.25, owner=DASHBOARD, called="_ray_internal_job_actor_run_1-1", ALIVE=0, DEAD=10),
]
SECONDS = 0.5 * 4 + 2 * 1 + 2 * 1 + 1 * 8 + 0.25 * 10


def test_requested_cpus_by_running_time_of_tasks_actors_and_the_driver() -> None:
    assert reserved(*ALL) == ReservedCpu(seconds=SECONDS)


@given(st.randoms(use_true_random=False), st.integers(1, 9))
def test_events_that_come_again_late_and_in_any_order_change_nothing(
    chance: random.Random, size: int
) -> None:
    arriving = ALL + chance.choices(ALL, k=len(ALL))
    chance.shuffle(arriving)
    known = RayEvents()
    for start in range(0, len(arriving), size):
        known.add(json.dumps(arriving[start : start + size]).encode())
    assert known.of("run_1-1") == ReservedCpu(seconds=SECONDS)


def test_what_runs_has_run_up_to_the_last_event() -> None:
    assert reserved(job(), *task("t1", 2, RUNNING=1), *task("t2", 0, RUNNING=7)) == ReservedCpu(seconds=12)


def test_a_job_is_known_by_its_definition_and_its_cluster() -> None:
    assert reserved(*task("t1", 2, RUNNING=1, FINISHED=2)) is None
    elsewhere = {**task("t1", 2, RUNNING=1, FINISHED=2)[1], "sessionName": "s2"}
    assert reserved(job(), elsewhere) == ReservedCpu(seconds=0)
    assert reserved(job("raysubmit_x"), of="run_1-1") is None


def test_what_is_known_is_told_of_the_jobs_that_events_are_of() -> None:
    known = RayEvents()
    assert known.add(json.dumps([job()]).encode()) == {"run_1-1": ReservedCpu(seconds=0)}
    assert known.add(json.dumps([event("NODE_LIFECYCLE_EVENT", nodeId="x")]).encode()) == {}


def test_a_job_of_too_many_tasks_is_told_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_events, "MOST_SPANS", 1)
    found = reserved(job(), *task("t1", 1, RUNNING=0, FINISHED=1), *task("t2", 1, RUNNING=0, FINISHED=1))
    assert found == ReservedCpu(seconds=1, partial=True)


def test_old_jobs_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_events, "MOST_JOBS", 1)
    known = RayEvents()
    known.add(json.dumps([job()]).encode())
    known.add(json.dumps([job("run_2-1", session="s2")]).encode())
    assert (known.of("run_1-1"), known.of("run_2-1")) == (None, ReservedCpu(seconds=0))


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[3]", b"\xff", b'[{"taskLifecycleEvent": 3}]', b"[" * 100_000]
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        RayEvents().add(body)
