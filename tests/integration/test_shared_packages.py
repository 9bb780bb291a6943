"""Packages that two servers share: the second needs neither Git nor the commit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fakes import InMemoryBlobs
from git_repos import GitRepo, make_repo

from daftray.adapters.gitrepo.mirrors import BareMirrors
from daftray.domain.errors import SourceError
from daftray.domain.ports import GitRepository
from daftray.runtime_env.packages import ZipPackages
from daftray.runtime_env.shared_packages import PREFIX, SharedPackages


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return make_repo(tmp_path / "remote", {"main.py": "print(1)\n"})


def server(name: str, tmp_path: Path, blobs: InMemoryBlobs) -> SharedPackages:
    mirrors = BareMirrors(tmp_path / name / "git", allow_local=True)
    return SharedPackages(ZipPackages(tmp_path / name / "packages", mirrors=mirrors), blobs)


async def test_what_one_server_built_another_finds(repo: GitRepo, tmp_path: Path) -> None:
    blobs = InMemoryBlobs()
    place, commit = GitRepository(project="prj_1", remote=repo.url), repo.head
    built = await server("a", tmp_path, blobs).build(place, commit)
    shutil.rmtree(tmp_path / "remote")
    other = server("b", tmp_path, blobs)
    found = await other.build(place, commit)
    assert (found.name, found.size, found.warnings) == (built.name, built.size, built.warnings)
    assert found.path != built.path
    assert found.path.read_bytes() == built.path.read_bytes()
    blobs.blobs.clear()
    assert (await other.build(place, commit)).path == found.path, "from its own disk now"


async def test_no_other_project_finds_it(repo: GitRepo, tmp_path: Path) -> None:
    blobs = InMemoryBlobs()
    commit, remote = repo.head, repo.url
    await server("a", tmp_path, blobs).build(GitRepository(project="prj_1", remote=remote), commit)
    shutil.rmtree(tmp_path / "remote")
    with pytest.raises(SourceError):
        await server("b", tmp_path, blobs).build(GitRepository(project="prj_2", remote=remote), commit)


async def test_a_note_whose_zip_is_gone_is_no_package(repo: GitRepo, tmp_path: Path) -> None:
    blobs = InMemoryBlobs()
    place = GitRepository(project="prj_1", remote=repo.url)
    built = await server("a", tmp_path, blobs).build(place, repo.head)
    await blobs.delete(PREFIX + built.name)
    again = await server("b", tmp_path, blobs).build(place, repo.head)
    assert again.name == built.name
    assert await blobs.size(PREFIX + built.name) == built.size, "and it is there again"
