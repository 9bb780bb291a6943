"""What single steps pass on, mask or bear, where a whole walk would end alike without it."""

from __future__ import annotations

from pathlib import Path

import pytest
from factories import a_run, a_started, new
from fake_ray import FakeRayJobs
from msgspec.structs import replace
from run_steps import ControlPlane

from daftray.domain.cluster import JobStatus, Package
from daftray.domain.ports import GitRepository
from daftray.domain.project import GitRemote, ProjectSource
from daftray.domain.run import Run
from daftray.domain.spec import DirectorySource, Environment, GitSource, Source
from daftray.domain.status import FailureReason, RunPhase, RunStatus

GOES_ON = (JobStatus.RUNNING,)


async def a_plane(script: tuple[JobStatus, ...] = GOES_ON) -> ControlPlane:
    return await ControlPlane(rayjobs=FakeRayJobs(script)).open()


async def log_of(plane: ControlPlane, run: Run) -> bytes:
    size = (await plane.stores.runs.get(run.id)).current.log_size
    return await plane.context.archive.read(run.id, 1, size=size, start=0, end=size)


@pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.SUCCEEDED])
async def test_no_archived_log_shows_a_secret_or_the_runs_own_token(status: JobStatus) -> None:
    plane = await a_plane()
    run = await plane.create(secrets={"OWN": "a-secret-of-the-run"})
    await plane.until(run, RunPhase.STARTING)
    plane.rayjobs.end(run.submission_id, status)
    if status.terminal:
        await plane.until(run, RunPhase.HARVESTING)
    token = plane.context.tokens.issue(run.id, 1)
    plane.rayjobs.write(run.submission_id, f"a-secret-of-the-run {token} and more\n".encode())
    await plane.step(run)
    kept = await log_of(plane, run)
    assert b"and more" in kept
    assert b"a-secret-of-the-run" not in kept
    assert token.encode() not in kept


async def test_a_driver_that_reports_while_ray_still_seems_to_install_is_running() -> None:
    plane = await a_plane((JobStatus.PENDING,))
    run = await plane.create(environment=Environment(dependencies=["six"]))
    await plane.until(run, RunPhase.INSTALLING)
    await plane.stores.reports.started(run.id, a_started())
    assert (await plane.step(run)).run.phase is RunPhase.RUNNING


async def test_the_patch_of_a_run_is_in_its_package() -> None:
    plane = await a_plane()
    build, given = plane.packages.build, set[bytes | None]()

    async def seen(repository: GitRepository, commit: str, *, patch: bytes | None = None) -> Package:
        given.add(patch)
        return await build(repository, commit, patch=patch)

    plane.packages.build = seen
    run = await plane.create(source=Source(git=GitSource(ref="main", patch="diff --git")))
    await plane.until(run, RunPhase.STARTING)
    assert given == {b"diff --git"}


async def test_a_folder_needs_no_commit_and_is_brought_as_it_is_at_the_submission() -> None:
    plane = await a_plane()
    folders = iter(("before.zip", "before.zip", "after.zip", "after.zip"))

    async def changes(path: Path) -> Package:
        return Package(name=next(folders), path=path, size=1)

    plane.packages.from_directory = changes
    run = a_run(source=Source(directory=DirectorySource(path="code")))
    await plane.stores.runs.add(new(run))
    now = await plane.until(run, RunPhase.STARTING)
    assert (now.commit, plane.mirrors.asked) == (None, [])
    assert "after.zip" in plane.rayjobs.uploads


@pytest.mark.parametrize("phase", [RunPhase.PREPARING, RunPhase.SUBMITTING])
async def test_a_credential_that_is_deleted_on_the_way_fails_the_run_by_its_name(phase: RunPhase) -> None:
    plane = ControlPlane(rayjobs=FakeRayJobs(GOES_ON))
    remote = GitRemote(remote="https://git.example/demo.git", credential="TOKEN")
    plane.project = replace(plane.project, source=ProjectSource(git=remote))
    await plane.open()
    await plane.secrets.set("prj_demo", "TOKEN", "a-long-token")
    run = await plane.until(await plane.create(), phase)
    await plane.secrets.delete("prj_demo", "TOKEN")
    done = await plane.until(run)
    assert (done.reason, "TOKEN" in (done.reason_detail or "")) == (FailureReason.SOURCE_DENIED, True)


async def test_a_job_that_is_gone_has_no_log_to_wait_for() -> None:
    plane = await a_plane((JobStatus.SUCCEEDED,))
    run = await plane.until(await plane.create(), RunPhase.HARVESTING)
    plane.rayjobs.restart()
    done = (await plane.step(run)).run
    assert (done.phase, done.status) == (RunPhase.DONE, RunStatus.SUCCEEDED)
