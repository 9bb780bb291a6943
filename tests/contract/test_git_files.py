"""Single files of real commits, as they stand and with a patch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from git_repos import GitRepo, make_repo

from daftray.adapters.gitrepo.mirrors import BareMirrors
from daftray.domain.errors import SourceError, SourceNotFoundError
from daftray.domain.ports import GitRepository

BINARY = bytes(range(256)) * 8


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return make_repo(
        tmp_path / "remote", {"main.py": "print(1)\n", "lib/ä b.py": "A = 1\n", "data.bin": BINARY}
    )


@pytest.fixture
def mirrors(tmp_path: Path) -> BareMirrors:
    return BareMirrors(tmp_path / "data", allow_local=True)


class Reader:
    def __init__(self, mirrors: BareMirrors, repo: GitRepo) -> None:
        self._mirrors = mirrors
        self._place = GitRepository(project="prj_1", remote=repo.url)

    async def read(
        self, commit: str, paths: Sequence[str], *, patch: bytes | None = None, largest: int = 10_000
    ) -> dict[str, bytes | None]:
        return await self._mirrors.files(self._place, commit, paths, patch=patch, largest=largest)


@pytest.fixture
def reader(mirrors: BareMirrors, repo: GitRepo) -> Reader:
    return Reader(mirrors, repo)


async def test_files_come_as_the_commit_has_them(repo: GitRepo, reader: Reader) -> None:
    before = repo.head
    repo.commit({"main.py": "print(2)\n"})
    paths = ["main.py", "data.bin", "lib/ä b.py", "gone.py"]
    assert await reader.read(before, paths) == {
        "main.py": b"print(1)\n",
        "data.bin": BINARY,
        "lib/ä b.py": b"A = 1\n",
    }
    assert (await reader.read(repo.head, ["main.py"])) == {"main.py": b"print(2)\n"}


async def test_a_patch_is_applied(repo: GitRepo, reader: Reader) -> None:
    repo.write({"main.py": "print(2)\n"})
    patch = repo.diff()
    assert await reader.read(repo.head, ["main.py", "data.bin"], patch=patch) == {
        "main.py": b"print(2)\n",
        "data.bin": BINARY,
    }
    assert await reader.read(repo.head, ["main.py"]) == {"main.py": b"print(1)\n"}
    with pytest.raises(SourceError, match="does not apply"):
        await reader.read(repo.head, ["main.py"], patch=patch.replace(b"print(1)", b"print(9)"))


async def test_a_file_that_is_too_large_is_there_without_its_bytes(repo: GitRepo, reader: Reader) -> None:
    found = await reader.read(repo.head, ["data.bin", "main.py"], largest=len(BINARY) - 1)
    assert found == {"data.bin": None, "main.py": b"print(1)\n"}
    assert (await reader.read(repo.head, ["data.bin"], largest=len(BINARY))) == {"data.bin": BINARY}


async def test_what_is_no_file_of_the_commit_is_not_there(repo: GitRepo, reader: Reader) -> None:
    repo.symlink("link", "main.py")
    inner = make_repo(repo.path.parent / "inner", {"x.py": "X = 1\n"})
    repo.submodule(inner.url, "sub")
    repo.commit()
    odd = [
        "lib",
        "sub",
        "sub/x.py",
        "",
        "/main.py",
        "../main.py",
        "main.py/",
        "missing",
        ":main.py",
        "a\nmain.py",
    ]
    odd += [f"x\n{repo.head}:main.py", f"{repo.head} blob 3", "blob", "-e", "--batch", "\0", "./main.py\r"]
    assert await reader.read(repo.head, [*odd, "link"]) == {"link": b"main.py"}


async def test_a_commit_that_the_remote_lacks_is_an_error(reader: Reader) -> None:
    with pytest.raises(SourceNotFoundError):
        await reader.read("f" * 40, ["main.py"])


async def test_a_mirror_that_was_dropped_is_made_again(
    repo: GitRepo, reader: Reader, mirrors: BareMirrors
) -> None:
    await reader.read(repo.head, ["main.py"])
    (stored,) = await mirrors.stored()
    assert await mirrors.drop(stored.name, unused_since=stored.since + timedelta(days=1))
    assert await reader.read(repo.head, ["main.py"]) == {"main.py": b"print(1)\n"}


async def test_names_are_listed_by_their_ending_in_order(repo: GitRepo, mirrors: BareMirrors) -> None:
    place = GitRepository(project="prj_1", remote=repo.url)
    repo.commit({"lib/b.py": "", "lib/odd\nname.py": "", "z.PY": ""})
    assert await mirrors.names(place, repo.head, suffix=".py", most=9) == [
        "lib/b.py",
        "lib/ä b.py",
        "main.py",
    ]
    assert await mirrors.names(place, repo.head, suffix=".py", most=1) == ["lib/b.py"]
    assert await mirrors.names(place, repo.head, suffix=".none", most=9) == []


async def test_a_mirror_that_is_there_is_refreshed(
    repo: GitRepo, mirrors: BareMirrors, tmp_path: Path
) -> None:
    place = GitRepository(project="prj_1", remote=repo.url)
    assert not await mirrors.refresh(place)
    before = repo.head
    await mirrors.pin(place, commit=before)
    repo.commit({"main.py": "print(2)\n"})
    newest = repo.head
    assert await mirrors.refresh(place)
    # What was fetched is there without the remote.
    Path(repo.path).rename(tmp_path / "away")  # noqa: ASYNC240 (at once, and nobody waits)
    assert await mirrors.pin(place, commit=newest) == newest
