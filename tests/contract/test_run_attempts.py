"""What every `RunStore` keeps of a run's attempts and usage, whoever writes first."""

from __future__ import annotations

import pytest
from factories import COMMIT, a_claim
from msgspec.structs import replace
from stores import Stores, add_claimed

from daftray.domain.errors import StaleClaimError
from daftray.domain.metrics import UsageSummary
from daftray.domain.status import FailureReason, RunStatus

CLAIM = a_claim()


async def test_the_archived_size_of_a_log_never_shrinks(stores: Stores) -> None:
    run = await add_claimed(stores, CLAIM)
    run = run.with_attempt(run.current)
    await stores.runs.save(run, [], CLAIM)
    for size in (10, 30, 20):
        await stores.runs.save_log_size(run.id, 1, size, CLAIM)
    await stores.runs.save(run, [], CLAIM)
    (attempt,) = (await stores.runs.get(run.id)).attempts
    assert attempt.log_size == 30
    with pytest.raises(StaleClaimError):
        await stores.runs.save_log_size(run.id, 1, 40, a_claim("somebody-else"))
    with pytest.raises(StaleClaimError):
        await stores.runs.save_log_size("run_none", 1, 40, CLAIM)
    assert (await stores.runs.get(run.id)).attempts == (attempt,)


async def test_a_log_size_may_come_before_its_attempt(stores: Stores) -> None:
    run = await add_claimed(stores, CLAIM)
    await stores.runs.save_log_size(run.id, 1, 7, CLAIM)
    submitted = replace(run.current, ray_job_id="01000000")
    await stores.runs.save(run.with_attempt(submitted), [], CLAIM)
    assert (await stores.runs.get(run.id)).attempts == (replace(submitted, log_size=7),)


async def test_attempts_are_kept_by_number(stores: Stores) -> None:
    run = await add_claimed(stores, CLAIM)
    first = replace(run.current, status=RunStatus.FAILED, reason=FailureReason.JOB_LOST)
    run = replace(run.with_attempt(first), attempt=2)
    run = run.with_attempt(run.current)
    await stores.runs.save(run, [], CLAIM)
    assert [one.number for one in (await stores.runs.get(run.id)).attempts] == [1, 2]
    assert (await stores.runs.get(run.id)).attempts == run.attempts


async def test_usage_needs_no_claim_and_a_save_does_not_undo_it(stores: Stores) -> None:
    run = await add_claimed(stores, CLAIM)
    usage = UsageSummary(requests=2)
    await stores.runs.save_usage(run.id, usage)
    await stores.runs.save_usage("run_none", usage)
    await stores.runs.save(replace(run, commit=COMMIT), [], CLAIM)
    assert await stores.runs.get(run.id) == replace(run, commit=COMMIT, usage=usage)
