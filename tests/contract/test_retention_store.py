"""What every `RetentionStore` does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from ended_runs import DAY, a_live_run, an_ended_run, keep, keep_result
from factories import NOW, a_claim, a_run, a_secret, new
from msgspec.structs import replace
from stores import Stores, add_claimed

from daftray.domain.errors import RunNotFoundError
from daftray.domain.idempotency import IdempotencyKey
from daftray.domain.retention import Holdings, Kept
from daftray.domain.run import Attempt, Verdict
from daftray.domain.status import RunPhase, RunStatus

CLAIM = a_claim()


def everything(holdings: Holdings) -> Sequence[Kept]:
    return holdings.oldest


def down_to(size: int):
    """Return a choice of the oldest, until no more than that is left."""

    def choose(holdings: Holdings) -> Sequence[Kept]:
        chosen: list[Kept] = []
        left = holdings.total
        for one in holdings.oldest:
            if left <= size:
                break
            chosen.append(one)
            left -= one.size
        return chosen

    return choose


def key(kept: Kept) -> str:
    return f"{kept.run}/{kept.attempt}"


async def test_the_oldest_of_ended_runs_come_first_and_all_bytes_count(stores: Stores) -> None:
    young, old = an_ended_run(NOW - DAY, log_size=20), an_ended_run(NOW - 9 * DAY, log_size=10)
    live, silent = a_live_run(NOW, log_size=100), an_ended_run(NOW - 5 * DAY)
    await keep(stores, young, live, old, silent)
    found = await stores.retention.holdings("logs", limit=10)
    assert (found.now, found.total) == (NOW, 130)
    assert [(one.run, one.attempt, one.size, one.since) for one in found.oldest] == [
        (old.id, 1, 10, NOW - 9 * DAY),
        (young.id, 1, 20, NOW - DAY),
    ]


async def test_an_earlier_attempt_of_a_run_that_goes_on_is_kept(stores: Stores) -> None:
    first = Attempt(number=1, submission_id="s-1", status=RunStatus.FAILED, ended_at=NOW - DAY, log_size=5)
    live = a_live_run(NOW, attempt=2, log_size=7).with_attempt(first)
    await keep(stores, live)
    found = await stores.retention.holdings("logs", limit=10)
    assert (found.total, found.oldest) == (12, ())


async def test_holdings_come_in_pages(stores: Stores) -> None:
    same = [an_ended_run(NOW - 3 * DAY, log_size=1) for _ in range(3)]
    await keep(stores, *same, an_ended_run(NOW - DAY, log_size=1))
    whole = (await stores.retention.holdings("logs", limit=10)).oldest
    paged: list[Kept] = []
    while page := await stores.retention.holdings("logs", after=paged[-1] if paged else None, limit=2):
        if not page.oldest:
            break
        assert page.total == 4
        paged += page.oldest
    assert tuple(paged) == whole
    assert [one.run for one in whole[:3]] == sorted(run.id for run in same)


async def test_a_removed_log_is_marked_and_its_blobs_are_noted(stores: Stores) -> None:
    run, other = an_ended_run(NOW - 2 * DAY, log_size=3), an_ended_run(NOW - DAY, log_size=4)
    await keep(stores, run, other)
    gone = await stores.retention.remove("logs", lambda all_: all_.oldest[:1], blobs=key, limit=10)
    assert [one.run for one in gone] == [run.id]
    assert (await stores.runs.get(run.id)).current.log_removed_at == NOW
    assert (await stores.runs.get(other.id)).current.log_removed_at is None
    left = await stores.retention.holdings("logs", limit=10)
    assert (left.total, [one.run for one in left.oldest]) == (4, [other.id])
    assert await stores.retention.pending(limit=10) == [f"{run.id}/1"]
    await stores.retention.gone([f"{run.id}/1", "never noted"])
    assert await stores.retention.pending(limit=10) == []


async def test_a_removed_result_says_no_more_than_that_it_was_there(stores: Stores) -> None:
    run, other = an_ended_run(NOW - 2 * DAY), an_ended_run(NOW - DAY)
    await keep(stores, run, other)
    kept = await keep_result(stores, run, NOW - 2 * DAY, stored=1000)
    small = await keep_result(stores, other, NOW - DAY)
    found = await stores.retention.holdings("results", limit=10)
    assert [(one.run, one.since) for one in found.oldest] == [(run.id, NOW - 2 * DAY), (other.id, NOW - DAY)]
    assert found.total == kept.kept_size + small.kept_size > 1000
    await stores.retention.remove("results", lambda all_: all_.oldest[:1], blobs=key, limit=10)
    left = await stores.reports.result(run.id)
    assert left is not None
    assert (left.kind, left.removed_at, left.data) == ("artifact", NOW, False)
    assert bytes(left.value) == b"null"
    assert await stores.reports.result(other.id) == small
    assert (await stores.retention.holdings("results", limit=10)).total == small.kept_size
    assert await stores.retention.pending(limit=10) == [f"{run.id}/1"]


async def test_the_result_of_a_run_that_goes_on_is_kept(stores: Stores) -> None:
    live = a_live_run(NOW)
    await keep(stores, live)
    result = await keep_result(stores, live, NOW - 9 * DAY)
    found = await stores.retention.holdings("results", limit=10)
    assert (found.total, found.oldest) == (result.kept_size, ())


async def test_a_result_that_says_that_it_was_removed_is_not_believed(stores: Stores) -> None:
    run = a_live_run(NOW)
    await keep(stores, run)
    result = await keep_result(stores, run, NOW)
    await stores.reports.put_result(run.id, replace(result, removed_at=NOW))
    assert await stores.reports.result(run.id) == result


async def test_choices_at_the_same_time_never_count_the_same_bytes(stores: Stores) -> None:
    await keep(stores, *(an_ended_run(NOW - number * DAY, log_size=10) for number in range(1, 21)))
    choices = [stores.retention.remove("logs", down_to(75), blobs=key, limit=20) for _ in range(4)]
    gone = [one for some in await asyncio.gather(*choices) for one in some]
    assert len(gone) == len({one.run for one in gone}) == 13
    assert (await stores.retention.holdings("logs", limit=1)).total == 70


async def test_a_late_writer_does_not_bring_a_removed_log_back(stores: Stores) -> None:
    run = await add_claimed(
        stores, CLAIM, phase=RunPhase.HARVESTING, verdict=Verdict(status=RunStatus.SUCCEEDED)
    )
    submitted = run.with_attempt(Attempt(number=1, submission_id=run.submission_id, log_size=5))
    done, event = submitted.advance(RunPhase.DONE, NOW)
    await stores.runs.save(done, [event], CLAIM)
    assert len(await stores.retention.remove("logs", everything, blobs=key, limit=10)) == 1
    await stores.runs.save(done, [], CLAIM)
    assert (await stores.runs.get(run.id)).current.log_removed_at == NOW


async def test_old_runs_go_with_all_that_hangs_on_them(stores: Stores) -> None:
    old, young = an_ended_run(NOW - 9 * DAY, log_size=5), an_ended_run(NOW - DAY, log_size=7)
    live = a_live_run(NOW - 20 * DAY, log_size=9)
    await keep(stores, old, young, live)
    result = await keep_result(stores, old, NOW - 9 * DAY)
    await stores.secrets.put(a_secret(owner=old.id))
    await stores.secrets.put(a_secret(owner=live.id))
    told = (1, 5 + result.kept_size)
    assert await stores.retention.old_runs(8 * DAY) == told
    assert await stores.retention.remove_runs(8 * DAY, blobs=lambda run: f"runs/{run}/", limit=10) == told
    with pytest.raises(RunNotFoundError):
        await stores.runs.get(old.id)
    assert await stores.runs.events(old.id) == []
    assert await stores.reports.result(old.id) is None
    assert await stores.secrets.list(old.id) == []
    assert len(await stores.secrets.list(live.id)) == 1
    assert {run.id for run in (young, live)} == {(await stores.runs.get(run.id)).id for run in (young, live)}
    assert await stores.retention.pending(limit=10) == [f"runs/{old.id}/"]
    assert await stores.retention.remove_runs(8 * DAY, blobs=str, limit=10) == (0, 0)


async def test_no_more_runs_go_at_once_than_asked(stores: Stores) -> None:
    runs = [an_ended_run(NOW - number * DAY) for number in (9, 8, 7)]
    await keep(stores, *runs)
    assert await stores.retention.remove_runs(timedelta(0), blobs=str, limit=2) == (2, 0)
    assert await stores.retention.pending(limit=1) == [min(run.id for run in runs)]
    assert (await stores.runs.get(runs[2].id)).id == runs[2].id


async def test_old_idempotency_keys_are_forgotten(stores: Stores) -> None:
    keys = [IdempotencyKey(project="prj_demo", key=name, digest="d") for name in "abc"]
    for age, one in zip((9, 8, 1), keys, strict=True):
        stores.clock.set(NOW - age * DAY)
        await stores.runs.add(new(a_run()), key=one)
    stores.clock.set(NOW)
    assert await stores.retention.old_keys(7 * DAY) == 2
    assert await stores.retention.forget_keys(7 * DAY, limit=1) == 1
    assert await stores.runs.added_under(keys[0]) is None
    assert await stores.runs.added_under(keys[1]) is not None
    assert await stores.retention.forget_keys(7 * DAY, limit=10) == 1
    assert await stores.retention.forget_keys(7 * DAY, limit=10) == 0
    assert await stores.runs.added_under(keys[2]) is not None
