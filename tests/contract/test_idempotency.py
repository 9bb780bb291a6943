"""What every `RunStore` does about idempotency keys, and about runs that come together."""

from __future__ import annotations

import pytest
from factories import a_project, a_run, new
from stores import Stores

from daftray.domain.errors import ConflictError, IdempotencyConflictError, RunNotFoundError
from daftray.domain.idempotency import IdempotencyKey

KEY = IdempotencyKey(project="prj_demo", key="a", digest="d1")


async def test_what_comes_again_under_a_key_makes_nothing_new(stores: Stores) -> None:
    first, second, again = a_run(), a_run(), a_run()
    assert await stores.runs.added_under(KEY) is None
    ids = await stores.runs.add(new(first), new(second), key=KEY)
    assert ids == (first.id, second.id)
    assert await stores.runs.add(new(again), key=KEY) == ids
    assert await stores.runs.added_under(KEY) == ids
    with pytest.raises(RunNotFoundError):
        await stores.runs.get(again.id)


async def test_a_key_is_for_one_request(stores: Stores) -> None:
    await stores.runs.add(new(), key=KEY)
    other = IdempotencyKey(project="prj_demo", key="a", digest="d2")
    run = a_run()
    with pytest.raises(IdempotencyConflictError):
        await stores.runs.add(new(run), key=other)
    with pytest.raises(IdempotencyConflictError):
        await stores.runs.added_under(other)
    with pytest.raises(RunNotFoundError):
        await stores.runs.get(run.id)


async def test_keys_are_a_projects_own(stores: Stores) -> None:
    await stores.projects.add(a_project(id="prj_other", name="other"))
    mine, theirs = a_run(), a_run(project="prj_other")
    await stores.runs.add(new(mine), key=KEY)
    other = IdempotencyKey(project="prj_other", key="a", digest="d2")
    assert await stores.runs.add(new(theirs), key=other) == (theirs.id,)


async def test_runs_that_come_together_come_all_or_none(stores: Stores) -> None:
    known, fresh = a_run(), a_run()
    await stores.runs.add(new(known))
    with pytest.raises(ConflictError):
        await stores.runs.add(new(fresh), new(known), key=KEY)
    with pytest.raises(RunNotFoundError):
        await stores.runs.get(fresh.id)
    assert await stores.runs.added_under(KEY) is None


async def test_a_digest_under_an_older_master_key_fits(stores: Stores) -> None:
    ids = await stores.runs.add(new(), key=KEY)
    rotated = IdempotencyKey(project="prj_demo", key="a", digest="d2", older=("d0", "d1"))
    assert await stores.runs.added_under(rotated) == ids
    assert await stores.runs.add(new(), key=rotated) == ids
