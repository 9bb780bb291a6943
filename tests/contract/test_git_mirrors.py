"""Mirrors of real Git repositories: what pins, what is archived, what is refused."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from git_repos import GitRepo, make_repo

from daftray.adapters.gitrepo.mirrors import BareMirrors
from daftray.domain.errors import (
    SourceError,
    SourceNotFoundError,
    SourceUnavailableError,
)
from daftray.domain.ports import GitRepository, TreeFile


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return make_repo(tmp_path / "remote", {"main.py": "print(1)\n", "lib/a.py": "A = 1\n"})


@pytest.fixture
def mirrors(tmp_path: Path) -> BareMirrors:
    return BareMirrors(tmp_path / "data", allow_local=True)


@pytest.fixture
def place(repo: GitRepo) -> GitRepository:
    return GitRepository(project="prj_1", remote=repo.url)


def git(where: Path, *args: str) -> None:
    subprocess.run(["git", *args], cwd=where, check=True)


def contents(files: Sequence[TreeFile]) -> dict[str, bytes | str]:
    return {file.path: file.target or file.data for file in files}


# --- pinning


async def test_a_branch_is_pinned_as_it_is_on_the_remote_now(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    first = repo.head
    assert await mirrors.pin(place, ref="main") == first
    second = repo.commit({"main.py": "print(2)\n"})
    assert await mirrors.pin(place, ref="main") == second


async def test_nothing_named_means_the_remotes_head(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    repo.branch("dev")
    head = repo.commit({"dev.py": ""})
    assert await mirrors.pin(place) == head
    assert await mirrors.pin(place, ref="HEAD") == head


async def test_a_detached_head_is_pinned_too(repo: GitRepo, mirrors: BareMirrors, place: GitRepository):
    repo.git("checkout", "--quiet", "--detach")
    head = repo.commit({"x.py": ""})
    assert await mirrors.pin(place) == head


@pytest.mark.parametrize("annotated", [True, False])
async def test_a_tag_is_pinned_as_its_commit(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, annotated: bool
):
    tagged = repo.head
    repo.tag("v1", annotated=annotated)
    repo.commit({"later.py": ""})
    assert await mirrors.pin(place, ref="v1") == tagged


async def test_a_tag_of_a_tag_is_pinned_as_its_commit(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    repo.tag("inner", annotated=True)
    repo.tag("outer", at="inner", annotated=True)
    assert await mirrors.pin(place, ref="outer") == repo.head


async def test_a_branch_goes_before_a_tag_of_that_name_and_full_names_tell_them_apart(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    tagged = repo.head
    repo.tag("same", annotated=True)
    repo.branch("same")
    branched = repo.commit({"b.py": ""})
    assert await mirrors.pin(place, ref="same") == branched
    assert await mirrors.pin(place, ref="refs/tags/same") == tagged
    assert await mirrors.pin(place, ref="refs/heads/same") == branched


async def test_a_ref_of_another_kind_is_pinned(repo: GitRepo, mirrors: BareMirrors, place: GitRepository):
    main = repo.head
    repo.git("checkout", "--quiet", "--detach")
    asked = repo.commit({"pull.py": ""})
    repo.git("update-ref", "refs/pull/7/head", asked)
    repo.git("checkout", "--quiet", "main")
    assert await mirrors.pin(place, ref="refs/pull/7/head") == asked
    assert await mirrors.pin(place, ref="main") == main


async def test_a_branch_that_became_a_folder_of_branches_is_pinned(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    repo.branch("topic")
    await mirrors.pin(place, ref="topic")
    repo.git("checkout", "--quiet", "main")
    repo.git("branch", "-D", "topic")
    repo.branch("topic/one")
    head = repo.commit({"one.py": ""})
    assert await mirrors.pin(place, ref="topic/one") == head


async def test_a_hash_is_pinned_full_short_in_capitals_and_as_a_ref(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    first = repo.head
    repo.commit({"main.py": "print(2)\n"})
    assert await mirrors.pin(place, commit=first) == first
    assert await mirrors.pin(place, commit=first[:8]) == first
    assert await mirrors.pin(place, commit=first.upper()) == first
    assert await mirrors.pin(place, ref=first[:10]) == first


async def test_a_branch_named_like_a_hash_is_that_branch(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    first = repo.head
    repo.branch(first[:7])
    second = repo.commit({"x.py": ""})
    assert await mirrors.pin(place, ref=first[:7]) == second


async def test_an_ambiguous_hash_is_refused_with_the_commits_it_begins(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    tree = repo.git("rev-parse", "HEAD^{tree}")
    seen: dict[str, str] = {}
    for number in range(5000):
        commit = repo.git("commit-tree", tree, "-m", str(number))
        if (other := seen.setdefault(commit[:4], commit)) != commit:
            break
    else:
        pytest.fail("no two commits begin alike")
    repo.git("branch", "one", commit)
    repo.git("branch", "two", other)
    with pytest.raises(SourceNotFoundError, match="ambiguous") as caught:
        await mirrors.pin(place, commit=commit[:4])
    assert commit in caught.value.detail
    assert other in caught.value.detail


async def test_a_commit_on_no_branch_is_fetched_by_its_hash(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    lost = repo.commit({"x.py": ""})
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    assert await mirrors.pin(place, commit=lost) == lost


async def test_a_hash_of_no_commit_is_not_found(repo: GitRepo, mirrors: BareMirrors, place: GitRepository):
    blob = repo.git("rev-parse", "HEAD:main.py")
    for wrong in ("f" * 40, "ffff", blob, blob[:12]):
        with pytest.raises(SourceNotFoundError, match="There is no commit"):
            await mirrors.pin(place, commit=wrong)


async def test_a_missing_ref_is_named_with_some_that_are_there(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    repo.branch("develop")
    with pytest.raises(SourceNotFoundError, match=r"'nope'.*\(develop, main\)"):
        await mirrors.pin(place, ref="nope")


async def test_a_tag_of_a_file_is_no_commit(repo: GitRepo, mirrors: BareMirrors, place: GitRepository):
    repo.tag("blob", at="HEAD:main.py")
    with pytest.raises(SourceNotFoundError, match="names no commit"):
        await mirrors.pin(place, ref="blob")


async def test_an_empty_remote_says_so(tmp_path: Path, mirrors: BareMirrors):
    git(tmp_path, "init", "--quiet", "--bare", "empty")
    with pytest.raises(SourceNotFoundError, match="push a commit first"):
        await mirrors.pin(GitRepository(project="p", remote=str(tmp_path / "empty")))


async def test_a_missing_remote_is_not_found(tmp_path: Path, mirrors: BareMirrors):
    with pytest.raises(SourceNotFoundError, match="no such repository"):
        await mirrors.pin(GitRepository(project="p", remote=str(tmp_path / "nowhere")))


async def test_a_force_push_and_a_garbage_collection_leave_the_pinned_commit(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, tmp_path: Path
):
    pinned = await mirrors.pin(place, ref="main")
    moved = repo.rewrite({"main.py": "print('other')\n"})
    assert await mirrors.pin(place, ref="main") == moved
    for mirror in (tmp_path / "data" / "mirrors").glob("*.git"):
        git(mirror, "gc", "--quiet", "--prune=now")
        git(mirror, "pack-refs", "--all")
    assert contents(await mirrors.archive(place, pinned))["main.py"] == b"print(1)\n"
    assert await mirrors.pin(place, commit=pinned) == pinned


async def test_a_pinned_hash_needs_no_remote(repo: GitRepo, mirrors: BareMirrors, place: GitRepository):
    pinned = await mirrors.pin(place)
    repo.path.rename(repo.path.with_name("gone"))
    assert await mirrors.pin(place, commit=pinned) == pinned
    assert contents(await mirrors.archive(place, pinned))
    with pytest.raises(SourceError):
        await mirrors.pin(place, ref="main")


async def test_projects_do_not_share_what_they_may_read(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    pinned = await mirrors.pin(place)
    repo.path.rename(repo.path.with_name("gone"))
    other = GitRepository(project="prj_2", remote=place.remote)
    with pytest.raises(SourceNotFoundError):
        await mirrors.pin(other, commit=pinned)


async def test_a_new_server_finds_the_mirror_of_the_old_one(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, tmp_path: Path
):
    pinned = await mirrors.pin(place)
    repo.path.rename(repo.path.with_name("gone"))
    again = BareMirrors(tmp_path / "data", allow_local=True)
    assert await again.pin(place, commit=pinned) == pinned


async def test_a_lock_file_that_a_killed_git_left_is_no_obstacle(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, tmp_path: Path
):
    await mirrors.pin(place)
    (mirror,) = (tmp_path / "data" / "mirrors").glob("*.git")
    (mirror / "refs" / "heads" / "main.lock").touch()
    (mirror / "packed-refs.lock").touch()
    repo.git("pack-refs", "--all")
    head = repo.commit({"x.py": ""})
    assert await mirrors.pin(place, ref="main") == head


async def test_the_settings_of_the_servers_user_do_not_count(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    hook = tmp_path / "ran"
    (tmp_path / "gitconfig").write_text(
        f'[core]\n fsmonitor = touch {hook}\n[url "nowhere"]\n insteadOf = /\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "url.nowhere.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "/")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nonsense"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert await mirrors.pin(place) == repo.head
    assert not hook.exists()


async def test_a_command_that_takes_too_long_is_ended(place: GitRepository, tmp_path: Path):
    slow = BareMirrors(tmp_path / "data", allow_local=True, timeout_s=0.000001)
    with pytest.raises(SourceUnavailableError, match="took longer"):
        await slow.pin(place)


async def test_a_closed_server_starts_no_git(mirrors: BareMirrors, place: GitRepository):
    await mirrors.close()
    with pytest.raises(SourceUnavailableError, match="stopping"):
        await mirrors.pin(place)


@pytest.mark.parametrize("branch", ["master", "trunk"])
async def test_any_name_will_do_for_the_first_branch(mirrors: BareMirrors, tmp_path: Path, branch: str):
    repo = make_repo(tmp_path / branch, branch=branch)
    place = GitRepository(project="p", remote=repo.url)
    await mirrors.pin(place, ref=branch)
    assert await mirrors.pin(place, ref=branch) == repo.head
    second = repo.commit({"x": ""})
    assert await mirrors.pin(place, ref=branch) == second


async def test_many_pins_on_two_servers_at_once_agree(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, tmp_path: Path
):
    other = BareMirrors(tmp_path / "data", allow_local=True)
    for _ in range(3):
        head = repo.commit({"x": ""})
        found = await asyncio.gather(*(one.pin(place, ref="main") for one in [mirrors, other] * 5))
        assert set(found) == {head}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to somebody else")
async def test_a_local_remote_may_belong_to_somebody_else(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    head = repo.head
    for path in [repo.path, *repo.path.rglob("*")]:
        os.chown(path, 12345, 12345, follow_symlinks=False)
    assert await mirrors.pin(place) == head
