"""Blobs that nothing needs, packages that can be made again, and mirrors."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from ended_runs import DAY, a_live_run, an_ended_run
from factories import COMMIT, NOW, a_project
from fakes import InMemoryBlobs
from retention_world import Bound, RetentionPolicy, World

from daftray.domain.errors import StoreUnavailableError
from daftray.domain.ports import GitRepository
from daftray.domain.retention import Removed
from daftray.domain.spec import GitSource, Source
from daftray.retention.ownership import NOT_OURS, OWNER
from daftray.runtime_env.packages import package_key

OURS = RetentionPolicy()
REMOTE = "https://git.example/demo.git"
PATCH = b"--- a/main.py\n"


async def removed(world: World, policy: RetentionPolicy = OURS) -> list[tuple[str, int]]:
    told = await world.retention(policy).collect(dry_run=True)
    did = await world.retention(policy).collect(dry_run=False)
    assert told.removed == did.removed
    assert (told.notes, did.notes) == ((), ())
    return [(one.what, one.count) for one in did.removed]


async def test_what_a_deleted_project_left_goes_after_a_day() -> None:
    world = await World().open()
    await world.stores.projects.add(a_project(id="prj_gone", name="gone"))
    gone, kept = an_ended_run(NOW - 9 * DAY, project="prj_gone", log_size=3), a_live_run(NOW, log_size=3)
    await world.add(gone, kept)
    await world.stores.projects.delete("prj_gone")
    assert await removed(world) == []
    world.clock.move(DAY.total_seconds() + 1)
    assert await removed(world) == [("blobs", 1)]
    assert list(world.kept()) == [key for key in world.kept() if kept.id in key]


async def test_what_nobody_knows_of_stays() -> None:
    world = await World().open()
    for key in ("runs/stray", "projects/prj_1/other", "elsewhere/runs/run_1/x", "projects/prj_1/sources/x"):
        await world.put(key, b"1", days_ago=9)
    assert await removed(world) == []
    assert len(world.kept()) == 4


async def test_many_blobs_are_asked_for_together() -> None:
    world = await World().open()
    live = a_live_run(NOW, log_size=3)
    await world.add(live)
    for number in range(1100):
        await world.put(f"runs/{live.id if number % 2 else 'run_gone'}/1/log/{number:08d}", b"1", days_ago=2)
    assert await removed(world) == [("blobs", 550)]


async def test_a_blob_store_of_another_database_loses_nothing() -> None:
    theirs, world = await World().open(), await World().open()
    await theirs.retention(OURS).collect(dry_run=False)
    world.blobs = theirs.blobs
    await theirs.put("runs/run_theirs/1/log/00000000.1", b"1", days_ago=9)
    await theirs.put("packages/old.zip", b"1", days_ago=9)
    did = await world.retention(RetentionPolicy(packages=Bound(age=DAY))).collect(dry_run=False)
    assert (did.removed, did.notes) == ([], (NOT_OURS,))
    assert len(world.kept()) == 2
    del world.blobs.blobs[OWNER]
    assert await removed(world) == [("blobs", 1)]


async def test_a_source_is_kept_for_as_long_as_a_run_of_its_project_is() -> None:
    world = await World().open()
    await world.stores.projects.add(a_project(id="prj_other", name="other"))
    digest = "a" * 64
    run = an_ended_run(NOW - 9 * DAY, source=Source(git=GitSource(remote=REMOTE, bundle=f"blob:{digest}")))
    await world.add(run)
    for project in ("prj_demo", "prj_other", "prj_gone"):
        await world.put(f"projects/{project}/sources/{digest}", b"123", days_ago=2)
    assert await removed(world) == [("sources", 2)]
    assert list(world.kept()) == [f"projects/prj_demo/sources/{digest}"]
    assert await removed(world, RetentionPolicy(runs=DAY)) == [("runs", 1)]
    assert await removed(world) == [("sources", 1)]


async def a_package(world: World, name: str, *, patch: bytes | None = None, days_ago: float) -> set[str]:
    """Share a package as `SharedPackages` does; return its keys."""
    key = package_key(GitRepository(project="prj_demo", remote=REMOTE), COMMIT, patch)
    note = {"name": f"{name}.zip", "size": 100, "warnings": []}
    await world.put(f"packages/{name}.zip", b"z" * 100, days_ago=days_ago)
    await world.put(f"packages/{key}.json", msgspec.json.encode(note), days_ago=days_ago)
    return {f"packages/{name}.zip", f"packages/{key}.json"}


async def test_packages_go_by_age_and_size_but_for_those_of_runs_that_go_on() -> None:
    world = await World().open()
    patched = GitSource(remote=REMOTE, patch=f"blob:{hashlib.sha256(PATCH).hexdigest()}")
    await world.add(
        a_live_run(NOW, commit=COMMIT, source=Source(git=patched)),
        a_live_run(NOW, source=Source(git=patched)),
        an_ended_run(NOW, commit=COMMIT),
    )
    needed = await a_package(world, "patched", patch=PATCH, days_ago=40)
    await a_package(world, "plain", days_ago=40)
    await world.put("packages/middle.zip", b"z" * 100, days_ago=9)
    await world.put("packages/young.zip", b"z" * 100, days_ago=0.5)
    assert await removed(world) == []
    assert await removed(world, RetentionPolicy(packages=Bound(age=30 * DAY))) == [("packages", 2)]
    assert await removed(world, RetentionPolicy(packages=Bound(size=10))) == [("packages", 1)]
    assert world.kept().keys() == needed | {"packages/young.zip"}


async def test_mirrors_go_by_last_use_and_size_but_for_those_that_are_needed() -> None:
    world = await World().open()
    needed = f"prj_demo:{REMOTE}"
    await world.add(a_live_run(NOW, source=Source(git=GitSource(remote=REMOTE))))
    for name, days in (("old", 40), ("middle", 9), ("read", 8), (needed, 40), ("young", 0.01)):
        world.mirrors.add(name, size=100, used=NOW - days * DAY)
    assert await removed(world) == []
    assert await removed(world, RetentionPolicy(mirrors=Bound(age=30 * DAY))) == [("mirrors", 1)]
    assert await removed(world, RetentionPolicy(mirrors=Bound(size=300))) == [("mirrors", 1)]
    world.mirrors.in_use.add("read")
    did = await world.retention(RetentionPolicy(mirrors=Bound(size=0))).collect(dry_run=False)
    assert did.removed == []
    assert world.mirrors.mirrors.keys() == {"read", needed, "young"}


class StubbornBlobs(InMemoryBlobs):
    """Does not give up one of its keys."""

    stubborn: str | None = None

    async def delete(self, key: str) -> None:
        if key == self.stubborn:
            raise StoreUnavailableError
        await super().delete(key)


async def test_a_blob_that_stays_for_now_keeps_no_other_from_going() -> None:
    world = await World().open()
    world.blobs = blobs = StubbornBlobs(world.clock)
    runs = [an_ended_run(NOW - 9 * DAY, log_size=1) for _ in range(20)]
    await world.add(*runs)
    blobs.stubborn = sorted(world.kept())[3]
    policy = RetentionPolicy(logs=Bound(age=DAY))
    assert (await world.retention(policy).collect(dry_run=False)).more
    assert list(world.kept()) == [blobs.stubborn]
    blobs.stubborn = None
    assert not (await world.retention(policy).collect(dry_run=False)).more
    assert world.kept() == {}


async def test_a_pass_of_the_loop_survives_a_store_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    world = await World().open()
    world.blobs = blobs = StubbornBlobs(world.clock)
    await world.put("runs/run_gone/1/log/00000000.1", b"1", days_ago=9)
    blobs.stubborn = "runs/run_gone/1/log/00000000.1"
    retention = world.retention(OURS)
    assert not await retention.take_turn()
    assert "retention is tried again later" in caplog.text
    blobs.stubborn = None
    assert not await retention.take_turn()
    assert world.kept() == {}


async def test_the_loop_looks_through_everything_only_now_and_then() -> None:
    world = await World().open()
    retention = world.retention(RetentionPolicy(logs=Bound(age=DAY)))
    await retention.take_turn()
    await world.put("runs/run_gone/1/log/00000000.1", b"1", days_ago=9)
    old = an_ended_run(NOW - 2 * DAY, log_size=1)
    await world.add(old)
    world.clock.move(3600)
    await retention.take_turn()
    assert list(world.kept()) == ["runs/run_gone/1/log/00000000.1"]
    world.clock.move(5 * 3600)
    await retention.take_turn()
    assert world.kept() == {}


async def test_a_pass_tells_what_it_removed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = await World().open()
    await world.add(an_ended_run(NOW - 2 * DAY, log_size=7))
    await world.retention(RetentionPolicy(logs=Bound(age=DAY))).take_turn()
    (line,) = [record for record in caplog.records if record.getMessage() == "removed logs"]
    assert (line.__dict__["count"], line.__dict__["bytes"]) == (1, 7)


async def test_a_cluster_that_is_away_is_told_and_hinders_nothing() -> None:
    world = await World().open()
    world.rayjobs.unreachable = True
    await world.add(an_ended_run(NOW - 2 * DAY, log_size=7))
    did = await world.retention(RetentionPolicy(logs=Bound(age=DAY))).collect(dry_run=False)
    assert did.removed == [Removed(what="logs", rule="older than 1 day", count=1, size=7)]
    assert [note.partition(":")[0] for note in did.notes] == ["Ray's records of jobs were not looked at"]
