"""What every database tells retention of blobs, and the janitor of jobs."""

from __future__ import annotations

import asyncio

from ended_runs import DAY, a_live_run, an_ended_run, keep
from factories import COMMIT, NOW, a_project, a_run
from stores import Stores

from daftray.domain.retention import LiveSource, SubmittedAttempt
from daftray.domain.run import Attempt
from daftray.domain.spec import DirectorySource, GitSource, Source
from daftray.domain.status import RunStatus

PATCH, BUNDLE, OTHER = "a" * 64, "b" * 64, "c" * 64


def brought(*, patch: str | None = None, bundle: str | None = None) -> Source:
    kept = {name: f"blob:{one}" for name, one in (("patch", patch), ("bundle", bundle)) if one}
    return Source(git=GitSource(remote="https://git.example/demo.git", **kept))


async def test_a_database_has_one_name(stores: Stores) -> None:
    names = await asyncio.gather(*(stores.owners.identity(f"name-{number}") for number in range(4)))
    assert len(set(names)) == 1
    assert await stores.owners.identity("another") == names[0]


async def test_runs_are_known_or_not(stores: Stores) -> None:
    live, ended = a_run(), an_ended_run(NOW)
    await keep(stores, live, ended)
    assert await stores.owners.unknown_runs([live.id, "run_gone", ended.id]) == {"run_gone"}
    assert await stores.owners.unknown_runs([]) == set()


async def test_what_a_kept_run_brought_along_is_needed(stores: Stores) -> None:
    await stores.projects.add(a_project(id="prj_other", name="other"))
    old = an_ended_run(NOW - 9 * DAY, source=brought(patch=PATCH, bundle=BUNDLE))
    again = an_ended_run(NOW, source=brought(patch=PATCH))
    await keep(stores, old, again, an_ended_run(NOW - 9 * DAY))
    asked = [PATCH, BUNDLE, OTHER]
    assert await stores.owners.needed_sources("prj_demo", asked) == {PATCH, BUNDLE}
    assert await stores.owners.needed_sources("prj_other", asked) == set()
    await stores.retention.remove_runs(DAY, blobs=str, limit=10)
    assert await stores.owners.needed_sources("prj_demo", asked) == {PATCH}


async def test_the_same_bundle_and_patch_are_one_blob(stores: Stores) -> None:
    await keep(stores, an_ended_run(NOW, source=brought(patch=PATCH, bundle=PATCH)))
    assert await stores.owners.needed_sources("prj_demo", [PATCH]) == {PATCH}


async def test_sources_of_runs_that_go_on(stores: Stores) -> None:
    source = brought(patch=PATCH)
    await keep(
        stores,
        a_live_run(NOW, source=source, commit=COMMIT),
        an_ended_run(NOW, source=source, commit=COMMIT),
        a_run(source=Source(directory=DirectorySource(path="/srv/code"))),
    )
    assert source.git is not None
    assert await stores.owners.live_sources() == [
        LiveSource(project="prj_demo", commit=COMMIT, git=source.git)
    ]


async def test_what_a_job_was_submitted_for(stores: Stores) -> None:
    first = Attempt(number=1, submission_id="s-1", status=RunStatus.FAILED, ended_at=NOW - DAY)
    live = a_live_run(NOW, attempt=2).with_attempt(first)
    ended, elsewhere = an_ended_run(NOW - 2 * DAY), an_ended_run(NOW, cluster="other")
    await keep(stores, live, ended, elsewhere)
    asked = [(live.id, 1), (live.id, 2), (live.id, 3), (ended.id, 1), (elsewhere.id, 1), ("run_gone", 1)]
    found = await stores.submitted.attempts("local", asked)
    assert found == {
        (live.id, 1): SubmittedAttempt(run=live.id, attempt=1, over_for=DAY),
        (live.id, 2): SubmittedAttempt(run=live.id, attempt=2, over_for=None),
        (ended.id, 1): SubmittedAttempt(run=ended.id, attempt=1, over_for=2 * DAY),
    }
    assert await stores.submitted.attempts("local", []) == {}
