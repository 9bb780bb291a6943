"""What every `RunStore` does: keep runs whole, save under a claim, and never lose a cancel."""

from __future__ import annotations

from datetime import timedelta

import pytest
from factories import COMMIT, a_claim, a_run, a_secret, an_event, at, new
from msgspec.structs import replace
from stores import Stores, add_claimed

from daftray.domain.errors import (
    ConflictError,
    ProjectNotFoundError,
    RunNotFoundError,
    StaleClaimError,
)
from daftray.domain.metrics import UsageSummary
from daftray.domain.ports import NewRun
from daftray.domain.run import Attempt, RayJob, Run, Verdict
from daftray.domain.spec import (
    Budget,
    Entrypoint,
    Environment,
    FunctionEntrypoint,
    GitSource,
    Resources,
    Retries,
    Source,
)
from daftray.domain.status import FailureReason, RunPhase, RunStatus

CLAIM = a_claim()
SUCCEEDED = Verdict(status=RunStatus.SUCCEEDED, exit_code=0)


def full_run() -> Run:
    """Return a run with every field set to something that is not its default."""
    return a_run(
        entrypoint=Entrypoint(
            function=FunctionEntrypoint(
                module="jobs/größe.py", symbol="haupt", args=[1, None, "ß"], kwargs={"n": [1.5, {"a": True}]}
            )
        ),
        source=Source(git=GitSource(remote="git@git.example:a/b.git", hash=COMMIT, patch="blob:00")),
        environment=Environment(
            python_version="3.12", dependencies=["daft"], environment_variables={"KEY": "значение"}
        ),
        name="nächtlich 🌙",
        labels={"team": "データ", "env": "prod"},
        runner="native",
        resources=Resources(num_cpus=0.5, num_gpus=1, memory=1 << 40),
        priority=-3,
        budget=Budget(tokens=5000, usd=0.5),
        queue_timeout_s=60,
        start_timeout_s=0.5,
        timeout_s=3600,
        retries=Retries(max=2, on=(FailureReason.KILLED,), backoff=0),
        status=RunStatus.RUNNING,
        phase=RunPhase.RUNNING,
        reason=FailureReason.USER_ERROR,
        reason_detail="a\u0000b",
        exit_code=3,
        commit=COMMIT,
        attempt=2,
        attempts=(
            Attempt(number=1, submission_id="s-1", status=RunStatus.FAILED, reason=FailureReason.JOB_LOST),
            Attempt(
                number=2,
                submission_id="s-2",
                status=RunStatus.RUNNING,
                exit_code=0,
                ray_job_id="01000000",
                ray_session="session_1",
                reason_detail="x\x00y",
                prepared_at=at(0),
                started_at=at(0.000001),
                ended_at=at(2),
                last_lines=("eins", "zwei"),
                log_size=1 << 33,
                log_removed_at=at(9),
            ),
        ),
        timings={"pinning": 0.25, "queued": 3600.000001},
        waiting_for="a place\x00 on the cluster",
        not_before=at(3),
        cluster_silent_since=at(4),
        warnings=("LFS pointers",),
        verdict=Verdict(status=RunStatus.FAILED, reason=FailureReason.USER_ERROR, detail="d", exit_code=3),
        secret_names=("TOKEN",),
        ray=RayJob(submission_id="s-2", job_id="01000000", dashboard_url="http://127.0.0.1:8265"),
        trigger="cron",
        task="tsk_1",
        rerun_of="run_0",
        started_at=at(1),
        completed_at=at(2),
        usage=UsageSummary(requests=3, tokens_in=10, tokens_out=0, cpu_seconds=1.5, cost=0.01),
    )


def test_the_full_run_is_full() -> None:
    run, plain = full_run(), a_run()
    same = {name for name in Run.__struct_fields__ if getattr(run, name) == getattr(plain, name)}
    assert same == {*("project", "cluster", "created_by", "created_at", "phase_since", "cancel_requested_at")}


async def test_a_run_tells_its_project(stores: Stores) -> None:
    run = a_run()
    await stores.runs.add(new(run))
    assert await stores.runs.project_of(run.id) == run.project
    assert await stores.runs.project_of("run_none") is None


async def test_a_run_comes_back_as_it_was_added(stores: Stores) -> None:
    run = full_run()
    await stores.runs.add(new(run))
    assert await stores.runs.get(run.id) == run
    plain = a_run()
    await stores.runs.add(new(plain))
    assert await stores.runs.get(plain.id) == plain


async def test_a_large_spec_comes_back(stores: Stores) -> None:
    kwargs: dict[str, object] = {"rows": [{"n": n, "text": "é" * 100} for n in range(10_000)]}
    run = a_run(entrypoint=Entrypoint(function=FunctionEntrypoint(module="m", symbol="f", kwargs=kwargs)))
    await stores.runs.add(new(run))
    assert await stores.runs.get(run.id) == run


async def test_an_unknown_run_is_not_found(stores: Stores) -> None:
    with pytest.raises(RunNotFoundError):
        await stores.runs.get("run_none")
    with pytest.raises(RunNotFoundError):
        await stores.runs.request_cancel("run_none")
    assert await stores.runs.events("run_none") == []


async def test_a_run_needs_a_project_and_an_id_of_its_own(stores: Stores) -> None:
    with pytest.raises(ProjectNotFoundError):
        await stores.runs.add(new(a_run(project="prj_gone")))
    run = a_run()
    await stores.runs.add(new(run, an_event(detail="first")))
    with pytest.raises(ConflictError):
        await stores.runs.add(new(replace(run, name="another"), an_event(detail="second")))
    assert await stores.runs.get(run.id) == run
    assert [event.detail for event in await stores.runs.events(run.id)] == ["first"]


async def test_a_run_brings_its_own_secrets(stores: Stores) -> None:
    run = a_run(secret_names=("A", "B"))
    secrets = [a_secret(owner=run.id, name=name) for name in run.secret_names]
    await stores.runs.add(NewRun(run=run, event=an_event(), secrets=tuple(secrets)))
    assert await stores.secrets.list(run.id) == secrets


async def test_history_keeps_its_order_even_where_times_are_equal(stores: Stores) -> None:
    run = await add_claimed(stores, CLAIM)
    first = [an_event(detail=f"first {number}") for number in range(12)]
    await stores.runs.save(run, first, CLAIM)
    await stores.runs.save(run, [an_event(detail="then")], CLAIM)
    found = [event.detail for event in await stores.runs.events(run.id)]
    assert found == [None, *(event.detail for event in first), "then"]


async def test_a_save_writes_what_became_of_the_run(stores: Stores) -> None:
    run = await add_claimed(stores, CLAIM)
    run, event = run.advance(RunPhase.HARVESTING, at(5), verdict=SUCCEEDED)
    run = replace(run, commit=COMMIT, warnings=("w",), ray=RayJob(submission_id=run.submission_id))
    run = run.with_attempt(replace(run.current, log_size=5))
    await stores.runs.save(run, [event], CLAIM)
    assert await stores.runs.get(run.id) == run
    ended, event = run.advance(RunPhase.DONE, at(6))
    await stores.runs.save(ended, [event], CLAIM)
    assert await stores.runs.get(run.id) == ended
    assert (await stores.runs.events(run.id))[-1] == event


async def test_a_save_does_not_write_what_was_asked(stores: Stores) -> None:
    run = await add_claimed(stores, CLAIM)
    other = {"name": "x", "labels": {"a": "b"}, "trigger": "cron", "created_by": "x", "created_at": at(9)}
    await stores.runs.save(replace(run, commit=COMMIT, **other), [], CLAIM)
    assert await stores.runs.get(run.id) == replace(run, commit=COMMIT)


async def test_a_save_without_the_claim_is_refused(stores: Stores) -> None:
    run = await add_claimed(stores, CLAIM)
    changed = replace(run, commit=COMMIT)
    with pytest.raises(StaleClaimError):
        await stores.runs.save(changed, [an_event()], a_claim("somebody-else"))
    with pytest.raises(StaleClaimError):
        await stores.runs.save(a_run(), [], CLAIM)
    assert await stores.runs.get(run.id) == run
    assert len(await stores.runs.events(run.id)) == 1
    await stores.runs.release(run.id, CLAIM, due_in=timedelta(0))
    with pytest.raises(StaleClaimError):
        await stores.runs.save(changed, [], CLAIM)


async def test_a_cancel_that_the_writer_has_not_seen_refuses_its_save(stores: Stores) -> None:
    run = await add_claimed(stores, CLAIM)
    stores.clock.set(at(1))
    told = await stores.runs.request_cancel(run.id)
    assert told.cancel_requested_at == at(1)
    with pytest.raises(StaleClaimError):
        await stores.runs.save(replace(run, commit=COMMIT), [an_event()], CLAIM)
    seen = await stores.runs.get(run.id)
    assert seen == replace(run, cancel_requested_at=at(1))
    cancelling, event = seen.advance(RunPhase.CANCELLING, at(2))
    await stores.runs.save(cancelling, [event], CLAIM)
    assert await stores.runs.get(run.id) == cancelling


async def test_the_first_cancel_stays(stores: Stores) -> None:
    run = a_run()
    await stores.runs.add(new(run))
    stores.clock.set(at(1))
    await stores.runs.request_cancel(run.id)
    stores.clock.set(at(2))
    again = await stores.runs.request_cancel(run.id)
    assert again.cancel_requested_at == at(1)


async def test_a_run_that_has_ended_is_not_cancelled_nor_changed(stores: Stores) -> None:
    run = await add_claimed(stores, CLAIM)
    run, _ = run.advance(RunPhase.HARVESTING, at(1), verdict=SUCCEEDED)
    late = run
    ended, _ = run.advance(RunPhase.DONE, at(2))
    await stores.runs.save(ended, [], CLAIM)
    assert await stores.runs.request_cancel(run.id) == ended
    with pytest.raises(StaleClaimError):
        await stores.runs.save(late, [], CLAIM)
    noted = replace(ended, ray=None, warnings=("the job's record is gone",))
    await stores.runs.save(noted, [], CLAIM)
    assert await stores.runs.get(run.id) == noted
