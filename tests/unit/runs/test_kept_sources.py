"""What a run brings along, and how another of its project may name it: by its hash, if it is there."""

from __future__ import annotations

import base64

import pytest
from factories import a_project
from msgspec.structs import replace
from run_steps import ADMIN, ControlPlane

from daftray.domain.errors import InvalidInputError
from daftray.domain.spec import Entrypoint, FileEntrypoint, GitSource, RunRequest, Source

BUNDLE = base64.b64encode(b"# v2 git bundle").decode()


def a_request(**git: str) -> RunRequest:
    return RunRequest(
        entrypoint=Entrypoint(file=FileEntrypoint(file_path="main.py")), source=Source(git=GitSource(**git))
    )


async def test_a_run_may_name_what_another_of_its_project_brought_along() -> None:
    plane = await ControlPlane().open()
    first = await plane.runs.create(plane.project, a_request(bundle=BUNDLE, patch="diff"), ADMIN)
    assert first.source.git is not None
    assert first.source.git.bundle is not None
    assert first.source.git.patch is not None
    again = a_request(bundle=first.source.git.bundle, patch=first.source.git.patch)
    second = await plane.runs.create(plane.project, again, ADMIN)
    assert second.source == first.source


@pytest.mark.parametrize(
    "named", ["blob:", "blob:../../x", "blob:nonsense", "blob:" + "a" * 64, "blob:" + "A" * 64]
)
@pytest.mark.parametrize("field", ["bundle", "patch"])
async def test_what_is_not_there_is_refused_at_once(field: str, named: str) -> None:
    plane = await ControlPlane().open()
    with pytest.raises(InvalidInputError) as caught:
        await plane.runs.create(plane.project, a_request(**{field: named}), ADMIN)
    assert [issue.path for issue in caught.value.issues] == [f"source.git.{field}"]


async def test_another_projects_is_not_there() -> None:
    plane = await ControlPlane().open()
    other = a_project(id="prj_other", name="other")
    await plane.stores.projects.add(other)
    first = await plane.runs.create(other, a_request(patch="diff"), ADMIN)
    assert first.source.git is not None
    with pytest.raises(InvalidInputError):
        await plane.runs.create(plane.project, a_request(patch=first.source.git.patch or ""), ADMIN)


async def test_a_rerun_draws_on_the_bundle_that_its_commit_came_in() -> None:
    plane = await ControlPlane().open()
    git = GitSource(ref="main", bundle=BUNDLE, patch="diff --git")
    run = await plane.create(source=Source(git=git))
    pinned = (await plane.step(run)).run
    again = await plane.runs.rerun(plane.project, run.id, {}, ADMIN)
    assert run.source.git is not None
    assert again.source.git == replace(run.source.git, hash=pinned.commit, ref=None)
