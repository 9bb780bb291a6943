"""A user's working copy: what the command line learns of it, and sends, without leaving a trace."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from git_repos import GitRepo, make_repo

from daftray.adapters.gitrepo.checkout import Checkout, open_checkout
from daftray.domain.errors import SourceNotFoundError, SourceRefusedError

BINARY = bytes(range(256)) * 8


@pytest.fixture
def remote(tmp_path: Path) -> GitRepo:
    files: dict[str, str | bytes] = {"main.py": "print(1)\n", "data.bin": BINARY, ".gitignore": "*.log\n"}
    return make_repo(tmp_path / "remote", files)


@pytest.fixture
def clone(remote: GitRepo, tmp_path: Path) -> GitRepo:
    return remote.clone(tmp_path / "clone")


def opened(repo: GitRepo) -> Checkout:
    checkout = open_checkout(repo.path)
    assert checkout is not None
    return checkout


def applied(remote: GitRepo, patch: bytes, tmp_path: Path) -> dict[str, bytes]:
    """Return the files of a fresh clone with the patch applied."""
    fresh = remote.clone(tmp_path / f"fresh-{hashlib.sha256(patch).hexdigest()[:8]}")
    if patch:
        fresh.git("apply", "--index", "-", stdin=patch)
    return on_disk(fresh.path)


def on_disk(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


def test_a_clean_clone(remote: GitRepo, clone: GitRepo) -> None:
    (clone.path / "deep/er").mkdir(parents=True)
    checkout = open_checkout(clone.path / "deep/er")
    assert checkout is not None
    assert checkout.root == clone.path
    assert checkout.head == remote.head
    assert checkout.branch == "main"
    assert checkout.remote == remote.url
    assert checkout.path_of(clone.path / "main.py") == "main.py"
    assert checkout.is_head_on_remote()
    assert checkout.bundle() == b""
    assert checkout.patch() == b""


def test_no_repository_is_none(tmp_path: Path) -> None:
    assert open_checkout(tmp_path) is None


def test_a_repository_without_a_commit_says_so(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    repo.git("checkout", "--quiet", "--orphan", "empty")
    with pytest.raises(SourceNotFoundError, match="commit something"):
        _ = opened(repo).head


def test_a_file_outside_is_refused(clone: GitRepo, tmp_path: Path) -> None:
    with pytest.raises(SourceRefusedError, match="not inside"):
        opened(clone).path_of(tmp_path / "elsewhere.py")


def test_a_detached_head_has_no_branch(clone: GitRepo) -> None:
    clone.git("checkout", "--quiet", "--detach")
    assert opened(clone).branch is None
    assert opened(clone).is_head_on_remote()


def test_the_branchs_own_remote_goes_before_origin_and_a_single_one_will_do(
    remote: GitRepo, clone: GitRepo, tmp_path: Path
) -> None:
    fork = make_repo(tmp_path / "fork")
    clone.git("remote", "add", "fork", fork.url)
    assert opened(clone).remote == remote.url
    clone.git("config", "branch.main.remote", "fork")
    assert opened(clone).remote == fork.url
    clone.git("remote", "remove", "origin")
    clone.git("checkout", "--quiet", "-b", "new")
    assert opened(clone).remote == fork.url


def test_a_relative_remote_is_made_absolute(remote: GitRepo, clone: GitRepo) -> None:
    clone.git("remote", "set-url", "origin", "../remote")
    assert opened(clone).remote == remote.url


def test_without_a_remote_everything_is_sent(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "alone")
    checkout = opened(repo)
    assert checkout.remote is None
    assert not checkout.is_head_on_remote()
    target = make_repo(tmp_path / "target")
    (tmp_path / "b").write_bytes(checkout.bundle())
    assert repo.head in target.git("bundle", "list-heads", str(tmp_path / "b"))


def test_an_unpushed_commit_is_bundled_and_a_pushed_one_is_not(remote: GitRepo, clone: GitRepo) -> None:
    head = clone.commit({"new.py": "1"})
    assert not opened(clone).is_head_on_remote()
    bundle = opened(clone).bundle()
    remote.git("bundle", "unbundle", "/dev/stdin", stdin=bundle)
    assert remote.git("show", f"{head}:new.py") == "1"
    clone.git("push", "--quiet", "origin", "HEAD:refs/heads/topic")
    assert opened(clone).is_head_on_remote()
    assert opened(clone).bundle() == b""


def test_an_older_commit_of_the_remote_is_there(remote: GitRepo, clone: GitRepo) -> None:
    first = clone.head
    remote.commit({"later.py": ""})
    clone.git("fetch", "--quiet")
    assert opened(clone).head == first
    assert opened(clone).is_head_on_remote()


def test_a_commit_that_was_force_pushed_away_is_not_there(remote: GitRepo, clone: GitRepo) -> None:
    remote.rewrite({"main.py": "other"})
    assert not opened(clone).is_head_on_remote()


def test_a_remote_that_does_not_answer_is_as_it_was_last_seen(remote: GitRepo, clone: GitRepo) -> None:
    remote.path.rename(remote.path.with_name("gone"))
    assert opened(clone).is_head_on_remote()
    clone.commit({"new.py": "1"})
    assert not opened(clone).is_head_on_remote()
    assert opened(clone).bundle()


def test_a_patch_is_exactly_what_is_on_disk(remote: GitRepo, clone: GitRepo, tmp_path: Path) -> None:
    clone.write({"main.py": "print(2)", "staged.py": "s", "untracked/é.txt": "ü", "untracked.bin": BINARY})
    clone.write({"ignored.log": "x", "a b\tc": "odd name"})
    clone.git("add", "staged.py")
    clone.write({"staged.py": "changed after staging"})
    (clone.path / "data.bin").unlink()
    (clone.path / "main.py").chmod(0o755)
    clone.symlink("link", "main.py")
    expected = on_disk(clone.path)
    del expected["ignored.log"]
    patch = opened(clone).patch()
    assert applied(remote, patch, tmp_path) == expected
    assert b"new mode 100755" in patch
    assert b"new file mode 120000" in patch


def test_a_renamed_large_file_is_not_sent_again(remote: GitRepo, clone: GitRepo, tmp_path: Path) -> None:
    (clone.path / "data.bin").rename(clone.path / "moved.bin")
    patch = opened(clone).patch()
    assert b"rename to moved.bin" in patch
    assert len(patch) < len(BINARY)
    assert applied(remote, patch, tmp_path) == on_disk(clone.path)


def test_a_patch_is_utf8_whatever_the_files_are(remote: GitRepo, clone: GitRepo, tmp_path: Path) -> None:
    clone.write({"latin.txt": b"caf\xe9\n", "utf8.txt": "café\n"})
    patch = opened(clone).patch()
    patch.decode()
    assert applied(remote, patch, tmp_path) == on_disk(clone.path)


def test_a_patch_leaves_no_trace(clone: GitRepo) -> None:
    clone.write({"new.bin": BINARY[::-1], "main.py": "x"})
    clone.git("add", "main.py")
    before = {path: path.read_bytes() for path in clone.path.rglob("*") if path.is_file()}
    assert opened(clone).patch()
    assert {path: path.read_bytes() for path in clone.path.rglob("*") if path.is_file()} == before


def test_the_users_settings_of_diffs_do_not_change_the_patch(
    remote: GitRepo, clone: GitRepo, tmp_path: Path
) -> None:
    for setting, value in (
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("color.ui", "always"),
        ("color.diff", "always"),
        ("diff.external", "false"),
        ("diff.wordRegex", "."),
        ("core.quotePath", "false"),
    ):
        clone.git("config", setting, value)
    clone.write({"main.py": "print('set')\n", "new.py": "n"})
    assert applied(remote, opened(clone).patch(), tmp_path) == on_disk(clone.path)


def test_a_worktree_is_a_checkout_of_its_own(remote: GitRepo, clone: GitRepo, tmp_path: Path) -> None:
    clone.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    side = GitRepo(tmp_path / "side")
    side.write({"new.py": "n"})
    assert opened(side).branch == "side"
    assert opened(side).remote == remote.url
    found = applied(remote, opened(side).patch(), tmp_path)
    assert found == on_disk(clone.path) | {"new.py": b"n"}
