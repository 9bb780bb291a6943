"""The state machine: exactly the edges of `TRANSITIONS`, and what holds along every path."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise, product

import pytest
from factories import NOW, a_run, at
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from daftray.domain.run import Attempt, RayJob, Run, RunEvent, Verdict
from daftray.domain.status import ON_CLUSTER, TRANSITIONS, FailureReason, RunPhase, RunStatus

FAILED = Verdict(
    status=RunStatus.FAILED, reason=FailureReason.USER_ERROR, detail="ValueError: no", exit_code=1
)
SUCCEEDED = Verdict(status=RunStatus.SUCCEEDED, exit_code=0)
CANCELLED = Verdict(status=RunStatus.CANCELLED)
RETRY = (RunPhase.HARVESTING, RunPhase.QUEUED)
TERMINAL = {RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED}


@pytest.mark.parametrize(("here", "there"), [*product(RunPhase, RunPhase)])
def test_each_pair_of_phases_is_an_edge_or_refused(here: RunPhase, there: RunPhase) -> None:
    run = a_run(phase=here, verdict=FAILED)
    if there not in TRANSITIONS[here] or (here, there) == RETRY:
        with pytest.raises(ValueError, match=f"cannot go from {here} to {there}"):
            run.advance(there, at(1))
        return
    after, event = run.advance(there, at(1))
    assert (after.phase, after.phase_since, event.phase, event.at) == (there, at(1), there, at(1))
    assert (event.from_, event.to) == (run.status, after.status)


def test_every_phase_leads_to_the_end_and_only_a_retry_leads_back() -> None:
    assert set(TRANSITIONS) == set(RunPhase)
    order = {phase: number for number, phase in enumerate(RunPhase)}
    for here, edges in TRANSITIONS.items():
        assert all(order[here] < order[there] for there in edges if (here, there) != RETRY)
        assert bool(edges) == (here is not RunPhase.DONE)
    cancellable = set(RunPhase) - {RunPhase.CANCELLING, RunPhase.HARVESTING, RunPhase.DONE}
    assert all(RunPhase.CANCELLING in TRANSITIONS[phase] for phase in cancellable)


def test_a_place_is_taken_from_preparing_until_the_end() -> None:
    assert set(RunPhase) - ON_CLUSTER == {RunPhase.PINNING, RunPhase.QUEUED, RunPhase.DONE}


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[Run, RunEvent | None]]:
    """Return a run and its events from its creation to its end, on any path, with any times.

    It is tried again once at most.
    """
    run = a_run()
    told: list[tuple[Run, RunEvent | None]] = [(run, None)]
    now: datetime = NOW
    verdict = draw(st.sampled_from([FAILED, SUCCEEDED, CANCELLED]))
    while run.phase is not RunPhase.DONE:
        # The way forward several times, so that many lives get as far as running.
        now += timedelta(seconds=draw(st.integers(min_value=-5, max_value=1000)))
        if (
            run.phase is RunPhase.HARVESTING
            and run.attempt == 1
            and verdict == FAILED
            and draw(st.booleans())
        ):
            run, event = run.retry(now, not_before=now + timedelta(seconds=1))
            told.append((run, event))
            verdict = draw(st.sampled_from([FAILED, SUCCEEDED, CANCELLED]))
            continue
        forward, *others = [
            to for to in RunPhase if to in TRANSITIONS[run.phase] and (run.phase, to) != RETRY
        ]
        to = draw(st.sampled_from([*[forward] * 6, *others]))
        if to is RunPhase.RUNNING:
            run = run.with_attempt(run.current)
        run, event = run.advance(to, now, verdict=verdict if to is RunPhase.HARVESTING else None)
        told.append((run, event))
    return told


@given(lives())
def test_what_users_see_follows_from_the_phase(life: list[tuple[Run, RunEvent | None]]) -> None:
    ran = False
    attempt = 1
    for run, _ in life:
        ran = (ran and run.attempt == attempt) or run.phase is RunPhase.RUNNING
        attempt = run.attempt
        if run.phase is RunPhase.DONE:
            assert run.status in TERMINAL
        else:
            assert run.status is (RunStatus.RUNNING if ran else RunStatus.PENDING)
        assert (run.started_at is not None) == ran
        assert (run.completed_at is not None) == run.status.terminal
        assert run.status.terminal == (run.status in TERMINAL)


def test_the_whole_way() -> None:
    run, times = a_run(), {}
    for number, phase in enumerate(phase for phase in [*RunPhase][1:] if phase is not RunPhase.CANCELLING):
        verdict = SUCCEEDED if phase is RunPhase.HARVESTING else None
        run, _ = run.advance(phase, at(number), verdict=verdict)
        times[phase] = at(number)
    assert (run.status, run.started_at, run.completed_at) == (
        RunStatus.SUCCEEDED,
        times[RunPhase.RUNNING],
        times[RunPhase.DONE],
    )


@given(lives())
def test_history_is_a_chain(life: list[tuple[Run, RunEvent | None]]) -> None:
    for (before, _), (after, event) in pairwise(life):
        assert event is not None
        assert (event.from_, event.to, event.phase) == (before.status, after.status, after.phase)


@given(lives())
def test_timings_hold_every_phase_that_was_left(life: list[tuple[Run, RunEvent | None]]) -> None:
    end, _ = life[-1]
    assert set(end.timings) == {run.phase.value for run, _ in life[:-1]}
    assert all(seconds >= 0 for seconds in end.timings.values())


def test_timings_are_seconds_and_add_up_where_a_phase_comes_again() -> None:
    run, _ = a_run().advance(RunPhase.QUEUED, at(0.25))
    assert run.timings == {"pinning": 0.25}
    run, _ = replace(run, timings={"pinning": 0.25, "queued": 1.5}).advance(RunPhase.PREPARING, at(2.75))
    assert run.timings == {"pinning": 0.25, "queued": 4.0}


@pytest.mark.parametrize("to", [RunPhase.HARVESTING, RunPhase.DONE])
def test_a_run_ends_only_with_a_verdict(to: RunPhase) -> None:
    here = RunPhase.RUNNING if to is RunPhase.HARVESTING else RunPhase.HARVESTING
    with pytest.raises(ValueError, match="needs a verdict"):
        a_run(phase=here).advance(to, at(1))


def test_the_verdict_shows_when_the_run_is_done_and_not_before() -> None:
    running = a_run(phase=RunPhase.RUNNING, status=RunStatus.RUNNING, waiting_for="x")
    harvesting, told = running.advance(RunPhase.HARVESTING, at(1), verdict=FAILED)
    assert harvesting.verdict == FAILED
    assert (harvesting.status, harvesting.reason, harvesting.exit_code) == (RunStatus.RUNNING, None, None)
    assert harvesting.waiting_for is None
    assert (told.reason, told.detail) == (FailureReason.USER_ERROR, "ValueError: no")
    done, told = harvesting.advance(RunPhase.DONE, at(2), detail="said otherwise")
    assert (done.status, done.reason, done.reason_detail, done.exit_code) == (
        RunStatus.FAILED,
        FailureReason.USER_ERROR,
        "ValueError: no",
        1,
    )
    assert done.completed_at == at(2)
    assert told.detail == "said otherwise"


def test_how_long_the_cluster_was_silent_is_reckoned_anew_in_each_phase() -> None:
    run = a_run(phase=RunPhase.RUNNING, status=RunStatus.RUNNING, cluster_silent_since=at(1))
    for to in (RunPhase.CANCELLING, RunPhase.HARVESTING):
        after, _ = run.advance(to, at(600), verdict=FAILED)
        assert after.cluster_silent_since is None, "the log would be given up at once"


def test_a_history_never_goes_back_in_time_whosever_clock_it_is() -> None:
    run, first = a_run().advance(RunPhase.QUEUED, at(10))
    run, second = run.advance(RunPhase.HARVESTING, at(4), verdict=FAILED)
    again, third = run.retry(at(3), not_before=at(3))
    assert [event.at for event in (first, second, third)] == [at(10)] * 3
    assert (again.phase_since, again.timings["queued"]) == (at(10), 0)


def test_the_attempt_keeps_step_with_its_run() -> None:
    run = a_run(phase=RunPhase.STARTING, attempt=2, attempts=(first := _attempt(1),))
    run = run.with_attempt(run.current)
    run, _ = run.advance(RunPhase.RUNNING, at(1))
    assert run.attempts == (first, _attempt(2, status=RunStatus.RUNNING, started_at=at(1), run=run))
    run, _ = run.advance(RunPhase.HARVESTING, at(2), verdict=FAILED)
    run, _ = run.advance(RunPhase.DONE, at(3))
    assert run.attempts[0] == first
    assert run.current == _attempt(
        2,
        run=run,
        status=RunStatus.FAILED,
        reason=FailureReason.USER_ERROR,
        reason_detail="ValueError: no",
        exit_code=1,
        started_at=at(1),
        ended_at=at(3),
    )


def test_a_retry_queues_the_next_attempt_and_keeps_the_one_that_failed() -> None:
    run = a_run(phase=RunPhase.RUNNING, status=RunStatus.RUNNING, commit="c", ray=RayJob(submission_id="s"))
    run, _ = run.with_attempt(run.current).advance(RunPhase.HARVESTING, at(1), verdict=FAILED)
    run = replace(run, cluster_silent_since=at(1), waiting_for="the cluster", started_at=at(0))
    again, told = run.retry(at(2), not_before=at(12))
    assert (again.phase, again.status, again.attempt) == (RunPhase.QUEUED, RunStatus.PENDING, 2)
    assert (again.not_before, again.verdict, again.ray, again.commit) == (at(12), None, None, "c")
    assert not again.may_have_job
    old = (again.cluster_silent_since, again.waiting_for, again.started_at)
    assert old == (None, None, None), "what was of the attempt before is not the next one's"
    (first,) = again.attempts
    assert (first.status, first.reason, first.ended_at) == (RunStatus.FAILED, FailureReason.USER_ERROR, at(2))
    assert (told.from_, told.to, told.attempt) == (RunStatus.RUNNING, RunStatus.PENDING, 2)
    assert again.submission_id == f"{run.id}-2"


@pytest.mark.parametrize("verdict", [SUCCEEDED, CANCELLED])
def test_only_a_failure_is_followed_up(verdict: Verdict) -> None:
    run = a_run(phase=RunPhase.HARVESTING, verdict=verdict)
    with pytest.raises(ValueError, match="no failed attempt"):
        run.retry(at(1), not_before=at(1))
    with pytest.raises(ValueError, match="no failed attempt"):
        a_run(phase=RunPhase.RUNNING, verdict=FAILED).retry(at(1), not_before=at(1))


def test_a_run_that_was_never_submitted_has_no_attempts() -> None:
    run, _ = a_run().advance(RunPhase.HARVESTING, at(1), verdict=CANCELLED)
    run, _ = run.advance(RunPhase.DONE, at(2))
    assert run.attempts == ()
    assert run.current == Attempt(number=1, submission_id=f"{run.id}-1")


def test_an_attempt_takes_the_place_of_its_older_self() -> None:
    run = a_run(attempts=(_attempt(1), _attempt(2)), attempt=2)
    newer = _attempt(2, log_size=7)
    assert run.with_attempt(newer).attempts == (_attempt(1), newer)
    assert run.submission_id == f"{run.id}-2"


def test_every_reason_has_an_owner_and_only_the_platforms_are_tried_again() -> None:
    owners = {reason: reason.owner for reason in FailureReason}
    assert owners[FailureReason.USER_ERROR] == "user"
    assert owners[FailureReason.CLUSTER_LOST] == "platform"
    helped = {reason for reason in FailureReason if reason.retry_can_help}
    of_platform = {reason for reason, owner in owners.items() if owner == "platform"}
    assert helped == of_platform - {FailureReason.QUEUE_TIMEOUT}, "a full cluster stays full"


def _attempt(number: int, *, run: Run | None = None, **fields: object) -> Attempt:
    submission_id = f"{run.id}-{number}" if run else f"s-{number}"
    return replace(Attempt(number=number, submission_id=submission_id), **fields)
