"""Projects: what they are made of, and which remotes their credential opens."""

from __future__ import annotations

from typing import Any

import pytest
from run_steps import ControlPlane

from daftray.domain.errors import InvalidInputError, NameTakenError, SecretNotFoundError, SourceRefusedError
from daftray.domain.project import GitRemote, Project, ProjectPatch, ProjectRequest, ProjectSource

REMOTE = "https://git.example/team/code.git"
TOKEN = "a-token-of-the-host"


def a_request(name: str = "code", **remote: Any) -> ProjectRequest:
    return ProjectRequest(
        name=name, source=ProjectSource(git=GitRemote(**{"remote": REMOTE, "branch": "main", **remote}))
    )


async def private(plane: ControlPlane) -> Project:
    project = await plane.projects.create("default", a_request(credential="TOKEN"))
    await plane.secrets.set(project.id, "TOKEN", TOKEN)
    return project


async def test_a_project_is_found_by_id_and_by_name_in_its_workspace_alone() -> None:
    plane = ControlPlane()
    project = await plane.projects.create("default", a_request())
    assert await plane.projects.get("default", project.id) == project
    assert await plane.projects.get("default", "code") == project
    other = await plane.projects.create("other", a_request())
    assert await plane.projects.get("other", "code") == other
    with pytest.raises(NameTakenError):
        await plane.projects.create("default", a_request())


@pytest.mark.parametrize(
    "source",
    [ProjectSource(), ProjectSource(git=GitRemote(remote=REMOTE), github=GitRemote(remote=f"{REMOTE}x"))],
    ids=["none", "two"],
)
async def test_a_project_has_exactly_one_source(source: ProjectSource) -> None:
    plane = ControlPlane()
    with pytest.raises(InvalidInputError) as created:
        await plane.projects.create("default", ProjectRequest(name="code", source=source))
    project = await plane.projects.create("default", a_request())
    with pytest.raises(InvalidInputError) as changed:
        await plane.projects.update(project, ProjectPatch(source=source))
    assert [error.value.issues[0].path for error in (created, changed)] == ["source", "source"]
    assert await plane.projects.get("default", "code") == project


async def test_a_remote_that_is_refused_makes_no_project_and_changes_none() -> None:
    plane = ControlPlane()
    project = await plane.projects.create("default", a_request())

    def refuse(remote: str) -> None:
        raise SourceRefusedError(f"not {remote}")

    plane.mirrors.check = refuse
    with pytest.raises(SourceRefusedError):
        await plane.projects.create("default", a_request("second"))
    with pytest.raises(SourceRefusedError):
        await plane.projects.update(project, ProjectPatch(source=a_request().source))
    assert await plane.projects.list("default", limit=9, offset=0) == [project]


async def test_a_patch_changes_what_it_names_and_nothing_else() -> None:
    plane = ControlPlane()
    project = await plane.projects.create("default", a_request())
    renamed = await plane.projects.update(project, ProjectPatch(name="renamed"))
    assert (renamed.name, renamed.source, renamed.created_at) == (
        "renamed", project.source, project.created_at,
    )  # fmt: skip
    moved = await plane.projects.update(renamed, ProjectPatch(source=a_request(branch="next").source))
    assert (moved.name, moved.source.remote.branch) == ("renamed", "next")
    assert await plane.projects.by_id(project.id) == moved


@pytest.mark.parametrize("spelling", [REMOTE, REMOTE.removesuffix(".git"), f"{REMOTE}/"])
async def test_the_credential_opens_the_projects_own_remote_however_it_is_spelled(spelling: str) -> None:
    plane = ControlPlane()
    project = await private(plane)
    repository = await plane.projects.repository(project.id, spelling)
    assert (repository.remote, repository.credential) == (REMOTE, TOKEN)
    assert TOKEN not in repr(repository)


@pytest.mark.parametrize(
    "remote",
    [
        "https://git.example/team/code2.git",
        "https://git.example/team/code.git/../other.git",
        "https://git.example.evil.example/team/code.git",
        "https://git.example@evil.example/team/code.git",
        "http://git.example/team/code.git",
        "ssh://git.example/team/code.git",
        "https://git.example/team/code.git?x",
        "https://git.example/team/code.git#x",
        "HTTPS://GIT.EXAMPLE/team/code.git",
    ],
)
async def test_the_credential_opens_no_other_remote(remote: str) -> None:
    plane = ControlPlane()
    project = await private(plane)
    repository = await plane.projects.repository(project.id, remote)
    assert (repository.remote, repository.credential) == (remote, None)


async def test_another_projects_credential_is_not_there() -> None:
    plane = ControlPlane()
    await private(plane)
    other = await plane.projects.create("default", a_request("other", credential="TOKEN"))
    with pytest.raises(SecretNotFoundError, match="daftray secrets set TOKEN"):
        await plane.projects.repository(other.id, REMOTE)
