"""What lies between two real commits, counted as Git counts it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from git_repos import GitRepo, make_repo

from daftray.adapters.gitrepo import changes
from daftray.adapters.gitrepo.commands import GitCommands
from daftray.adapters.gitrepo.mirrors import BareMirrors
from daftray.domain.errors import SourceNotFoundError, SourceTooLargeError, SourceUnavailableError
from daftray.domain.ports import ChangedFile, GitRepository, SourceChanges

BINARY = bytes(range(256)) * 8
TEXT = "".join(f"line {number}\n" for number in range(40))


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return make_repo(
        tmp_path / "remote",
        {"main.py": "a\nb\nc\n", "lib/moved.py": TEXT, "data.bin": BINARY, "old.py": "x\n"},
    )


@pytest.fixture
def mirrors(tmp_path: Path) -> BareMirrors:
    return BareMirrors(tmp_path / "data", allow_local=True)


@pytest.fixture
def place(repo: GitRepo) -> GitRepository:
    return GitRepository(project="prj_1", remote=repo.url)


async def test_lines_and_files_are_counted(repo: GitRepo, mirrors: BareMirrors, place: GitRepository) -> None:
    before = repo.head
    repo.git("mv", "lib/moved.py", "lib/ä b.py")
    repo.git("rm", "--quiet", "old.py")
    after = repo.commit(
        {
            "main.py": "a\nB\nc\nd\n",
            "data.bin": BINARY[::-1],
            "lib/ä b.py": TEXT + "one more\n",
            "new\n.py": "1\n",
        }
    )
    found = await mirrors.changes(place, before, after, most=9)
    assert found == SourceChanges(
        files=5,
        added=2 + 1 + 1,
        removed=1 + 1,
        most_changed=(
            ChangedFile(path="main.py", added=2, removed=1),
            ChangedFile(path="lib/moved.py \N{RIGHTWARDS ARROW} lib/ä b.py", added=1, removed=0),
            ChangedFile(path="new\n.py", added=1, removed=0),
            ChangedFile(path="old.py", added=0, removed=1),
            ChangedFile(path="data.bin"),
        ),
    )
    back = await mirrors.changes(place, after, before, most=1)
    assert (back.files, back.added, back.removed) == (5, 2, 4)
    assert back.most_changed == (ChangedFile(path="main.py", added=1, removed=2),)


async def test_a_commit_beside_itself_has_no_changes(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
) -> None:
    assert await mirrors.changes(place, repo.head, repo.head, most=9) == SourceChanges()


async def test_commits_that_share_no_history_are_compared_all_the_same(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
) -> None:
    before = repo.head
    repo.git("checkout", "--quiet", "--orphan", "other")
    after = repo.commit({"main.py": "a\nb\n"})
    found = await mirrors.changes(place, before, after, most=9)
    assert (found.files, found.added, found.removed) == (1, 0, 1)


async def test_attributes_of_the_repository_run_nothing(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, tmp_path: Path
) -> None:
    before = repo.commit({".gitattributes": "*.py diff=evil\n"})
    repo.git("config", "diff.evil.command", f"touch {tmp_path}/pwned")
    after = repo.commit({"main.py": "a\n"})
    assert (await mirrors.changes(place, before, after, most=9)).removed == 2
    assert not (tmp_path / "pwned").exists()


async def test_a_commit_that_is_not_to_be_had_is_an_error(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
) -> None:
    for pair in ((repo.head, "f" * 40), ("f" * 40, repo.head)):
        with pytest.raises(SourceNotFoundError):
            await mirrors.changes(place, *pair, most=9)


async def test_more_than_can_be_counted_is_told(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = repo.head
    after = repo.commit({f"n{number}.py": "" for number in range(20)})
    monkeypatch.setattr(changes, "_LARGEST_LIST", 100)
    with pytest.raises(SourceTooLargeError, match="too many files"):
        await mirrors.changes(place, before, after, most=9)


def test_a_command_may_be_given_less_time_than_others(tmp_path: Path) -> None:
    git = GitCommands(tmp_path / "git", timeout_s=300)
    git.prepare()
    waits = ("-c", "alias.wait=!sleep 60", "wait")
    with pytest.raises(SourceUnavailableError, match=r"longer than 0\.05 seconds"):
        git.run_into(BytesIO(), *waits, at=git.scratch, limit=9, timeout_s=0.05)
