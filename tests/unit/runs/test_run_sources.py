"""What a run brings along, and where it is kept."""

from __future__ import annotations

import base64
import hashlib

import pytest
from factories import a_project
from run_steps import ControlPlane

from daftray.domain.errors import InvalidInputError, SourceRefusedError
from daftray.domain.run import Run
from daftray.domain.spec import DirectorySource, GitSource, Source
from daftray.runs import sources
from daftray.runs.sources import RunSources

CONTENT = b"# v2 git bundle\n\0\xff"
BUNDLE = base64.b64encode(CONTENT).decode()


def git_of(run: Run) -> GitSource:
    assert run.source.git is not None
    return run.source.git


async def test_a_bundle_and_a_patch_are_kept_by_their_content_and_come_back_as_they_were() -> None:
    plane = await ControlPlane().open()
    run = await plane.create(source=Source(git=GitSource(ref="main", bundle=BUNDLE, patch="ä diff\n")))
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert git_of(run).bundle == f"blob:{digest}"
    assert f"projects/prj_demo/sources/{digest}" in plane.blobs.blobs
    assert await plane.context.sources.bundle(run) == CONTENT
    assert await plane.context.sources.patch(run) == "ä diff\n".encode()
    await plane.create(source=Source(git=GitSource(ref="main", bundle=BUNDLE)))
    assert len(plane.blobs.blobs) == 2, "the same content is kept once"


async def test_a_run_that_brings_nothing_keeps_nothing_and_names_the_projects_remote() -> None:
    plane = await ControlPlane().open()
    run = await plane.create(source=Source(git=GitSource(bundle="", patch="")))
    assert git_of(run) == GitSource(remote="https://git.example/demo.git")
    assert (await plane.create()).source == run.source, "no source at all means the same"
    assert await plane.context.sources.bundle(run) is None
    assert await plane.context.sources.patch(run) is None
    assert plane.blobs.blobs == {}


@pytest.mark.parametrize("text", ["%", "IyB2MiBnaXQ", "IyB2\nMiBn", "ä", "====", "-_-_"])
async def test_a_bundle_that_is_no_base64_is_refused_where_it_is(text: str) -> None:
    plane = await ControlPlane().open()
    with pytest.raises(InvalidInputError) as error:
        await plane.create(source=Source(git=GitSource(bundle=text)))
    assert [issue.path for issue in error.value.issues] == ["source.git.bundle"]


@pytest.mark.parametrize("part", ["bundle", "patch"])
async def test_what_is_too_large_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(sources, f"LARGEST_{part.upper()}", 4)
    plane = await ControlPlane().open()
    with pytest.raises(InvalidInputError, match="push the branch first"):
        await plane.create(source=Source(git=GitSource(**{part: "IyB2MiBnaXQ="})))
    assert plane.blobs.blobs == {}


async def test_a_remote_that_is_refused_by_its_address_makes_no_run() -> None:
    plane = await ControlPlane().open()

    def refuse(remote: str) -> None:
        raise SourceRefusedError(f"not {remote}")

    plane.mirrors.check = refuse
    with pytest.raises(SourceRefusedError, match=r"not ext::sh"):
        await plane.create(source=Source(git=GitSource(remote="ext::sh", bundle=BUNDLE)))
    assert plane.blobs.blobs == {}


async def test_a_directory_is_for_servers_that_allow_it() -> None:
    plane = await ControlPlane().open()
    source = Source(directory=DirectorySource(path="/srv/code"))
    with pytest.raises(SourceRefusedError, match="DAFTRAY_ALLOW_LOCAL_REMOTES"):
        await plane.create(source=source)
    allowed = RunSources(
        projects=plane.projects, blobs=plane.blobs, mirrors=plane.mirrors, allow_directories=True
    )
    assert await allowed.accept(plane.project, source) == source


async def test_the_branch_by_default_is_the_projects_for_its_own_remote_and_head_elsewhere() -> None:
    plane = await ControlPlane().open()
    own = await plane.create()
    elsewhere = await plane.create(source=Source(git=GitSource(remote="https://git.example/other.git")))
    assert await plane.context.sources.default_branch(own) == "main"
    assert await plane.context.sources.default_branch(elsewhere) is None


async def test_projects_do_not_share_what_their_runs_bring_along() -> None:
    plane = await ControlPlane().open()
    other = a_project(id="prj_other", name="other")
    await plane.stores.projects.add(other)
    kept = await plane.context.sources.accept(other, Source(git=GitSource(bundle=BUNDLE)))
    assert [key.split("/")[1] for key in plane.blobs.blobs] == ["prj_other"]
    with pytest.raises(InvalidInputError):
        await plane.context.sources.accept(plane.project, kept)
