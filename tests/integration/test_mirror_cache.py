"""Mirrors as something that goes when it was not used for long, and is made again when it is needed."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock
from git_repos import GitRepo, make_repo

from daftray.adapters.gitrepo import mirrors as mirrors_module
from daftray.adapters.gitrepo.mirrors import BareMirrors
from daftray.domain.ports import GitRepository

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return make_repo(tmp_path / "remote", {"main.py": "print(1)\n"})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def mirrors(root: Path) -> BareMirrors:
    return BareMirrors(root, allow_local=True)


@pytest.fixture
def place(repo: GitRepo) -> GitRepository:
    return GitRepository(project="prj_1", remote=repo.url)


def named(mirrors: BareMirrors, place: GitRepository) -> str:
    name = mirrors.name(place)
    assert name is not None
    return name


def on_disk(root: Path) -> int:
    return sum(path.lstat().st_size for path in root.glob("mirrors/*.git/**/*") if path.is_file())


def left_over(root: Path) -> list[Path]:
    return list(root.glob("tmp/*"))


def unused_since(root: Path, at: datetime) -> None:
    """Let all mirrors be used last at a time."""
    for path in [*root.glob("mirrors/*.used"), *root.glob("mirrors/*.git")]:
        os.utime(path, (at.timestamp(), at.timestamp()))


async def test_there_is_nothing_before_the_first_run(mirrors: BareMirrors, place: GitRepository) -> None:
    assert await mirrors.stored() == []
    assert not await mirrors.drop(named(mirrors, place), unused_since=datetime.now(UTC))


async def test_a_mirror_tells_its_size_and_when_it_was_used(
    root: Path, mirrors: BareMirrors, place: GitRepository, repo: GitRepo
) -> None:
    await mirrors.pin(place, ref="main")
    (made,) = await mirrors.stored()
    assert (made.name, made.size) == (named(mirrors, place), on_disk(root))
    assert abs(datetime.now(UTC) - made.since) < timedelta(minutes=1)
    unused_since(root, LONG_AGO)
    assert [one.since for one in await mirrors.stored()] == [LONG_AGO]
    await mirrors.archive(place, repo.head)
    assert [one.since > LONG_AGO for one in await mirrors.stored()] == [True]


async def test_a_dropped_mirror_is_made_again(root: Path, mirrors: BareMirrors, place: GitRepository) -> None:
    commit = await mirrors.pin(place, ref="main")
    unused_since(root, LONG_AGO)
    assert await mirrors.drop(named(mirrors, place), unused_since=LONG_AGO)
    assert await mirrors.stored() == []
    assert not left_over(root)
    assert not await mirrors.drop(named(mirrors, place), unused_since=LONG_AGO)
    assert [file.path for file in await mirrors.archive(place, commit)] == ["main.py"]


async def test_a_mirror_that_was_used_since_stays(
    root: Path, mirrors: BareMirrors, place: GitRepository
) -> None:
    await mirrors.pin(place, ref="main")
    unused_since(root, LONG_AGO + timedelta(seconds=1))
    assert not await mirrors.drop(named(mirrors, place), unused_since=LONG_AGO)


async def test_a_mirror_that_is_read_stays(
    root: Path, mirrors: BareMirrors, place: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = await mirrors.pin(place, ref="main")
    loop, dropped = asyncio.get_running_loop(), list[bool]()
    read_tree = mirrors_module.read_tree

    def read(*args: object, **more: object) -> object:
        unused_since(root, LONG_AGO)
        drop = mirrors.drop(named(mirrors, place), unused_since=LONG_AGO)
        dropped.append(asyncio.run_coroutine_threadsafe(drop, loop).result(30))
        return read_tree(*args, **more)  # type: ignore[arg-type] (as it was called)

    monkeypatch.setattr(mirrors_module, "read_tree", read)
    assert [file.path for file in await mirrors.archive(place, commit)] == ["main.py"]
    assert dropped == [False]
    assert await mirrors.drop(named(mirrors, place), unused_since=LONG_AGO)


async def test_a_mirror_that_is_fetched_into_stays(
    root: Path, mirrors: BareMirrors, place: GitRepository
) -> None:
    await mirrors.pin(place, ref="main")
    unused_since(root, LONG_AGO)
    with FileLock(root / "mirrors" / f"{named(mirrors, place)}.lock"):
        assert not await mirrors.drop(named(mirrors, place), unused_since=LONG_AGO)
    assert len(await mirrors.stored()) == 1


async def test_what_a_server_died_over_goes_with_the_next(
    root: Path, mirrors: BareMirrors, place: GitRepository
) -> None:
    await mirrors.pin(place, ref="main")
    left = root / "tmp" / "gone-1" / "some.git"
    left.mkdir(parents=True)
    (left / "HEAD").write_text("ref: refs/heads/main\n")
    assert len(await mirrors.stored()) == 1
    assert not left.parent.exists()


def test_a_remote_that_is_not_used_any_more_has_no_mirror(root: Path) -> None:
    strict = BareMirrors(root, allow_local=False)
    assert strict.name(GitRepository(project="prj_1", remote="/srv/repo")) is None
    assert strict.name(GitRepository(project="prj_1", remote="https://git.example/a.git")) is not None
