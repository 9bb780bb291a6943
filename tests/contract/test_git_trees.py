"""The trees of real commits: attributes, submodules, patches, bundles."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from git_repos import GitRepo, make_repo

from daftray.adapters.gitrepo import mirrors as mirrors_module
from daftray.adapters.gitrepo import trees
from daftray.adapters.gitrepo.mirrors import BareMirrors
from daftray.domain.errors import SourceError, SourceNotFoundError, SourceRefusedError, SourceTooLargeError
from daftray.domain.ports import GitRepository, TreeFile

NEW_FILE = b"diff --git a/NAME b/NAME\nnew file mode 100755\n--- /dev/null\n+++ b/NAME\n@@ -0,0 +1 @@\n+x\n"
BINARY = bytes(range(256)) * 8


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    files: dict[str, str | bytes] = {"main.py": "print(1)\n", "lib/a.py": "A = 1\n", "data.bin": BINARY}
    return make_repo(tmp_path / "remote", files)


@pytest.fixture
def mirrors(tmp_path: Path) -> BareMirrors:
    return BareMirrors(tmp_path / "data", allow_local=True)


@pytest.fixture
def place(repo: GitRepo) -> GitRepository:
    return GitRepository(project="prj_1", remote=repo.url)


def contents(files: Sequence[TreeFile]) -> dict[str, bytes | str]:
    return {file.path: file.target or file.data for file in files}


async def test_a_tree_has_its_files_links_and_modes_by_path(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    (repo.path / "run.sh").write_text("#!/bin/sh\n")
    (repo.path / "run.sh").chmod(0o755)
    repo.symlink("link", "lib/a.py")
    assert await mirrors.archive(place, repo.commit()) == [
        TreeFile(path="data.bin", data=BINARY),
        TreeFile(path="lib/a.py", data=b"A = 1\n"),
        TreeFile(path="link", target="lib/a.py"),
        TreeFile(path="main.py", data=b"print(1)\n"),
        TreeFile(path="run.sh", executable=True, data=b"#!/bin/sh\n"),
    ]


async def test_long_and_foreign_names_are_kept(repo: GitRepo, mirrors: BareMirrors, place: GitRepository):
    names = {"deep/" * 40 + "x" * 120: "1", "café/日本.txt": "2", "a b\tc\n.txt": "3", 'quo"te': "4"}
    repo.symlink("long-link", "t" * 300)
    found = contents(await mirrors.archive(place, repo.commit(names)))
    assert {name: found[name] for name in names} == {name: text.encode() for name, text in names.items()}
    assert found["long-link"] == "t" * 300


async def test_export_ignore_and_export_subst_count(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    attributes = "secret/ export-ignore\nbig.dat export-ignore\nversion.txt export-subst\n"
    commit = repo.commit(
        {
            ".gitattributes": attributes,
            "secret/x": "1",
            "big.dat": "1",
            "version.txt": "$Format:%H$\n",
        }
    )
    found = contents(await mirrors.archive(place, commit))
    assert not [name for name in found if name.startswith(("secret", "big"))]
    assert found["version.txt"] == f"{commit}\n".encode()


async def test_a_commit_that_was_never_pinned_is_fetched(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    assert contents(await mirrors.archive(place, repo.head))["main.py"] == b"print(1)\n"


async def test_what_is_no_commit_is_refused(mirrors: BareMirrors, place: GitRepository):
    with pytest.raises(SourceRefusedError):
        await mirrors.archive(place, "--output=/tmp/x")
    with pytest.raises(SourceNotFoundError):
        await mirrors.archive(place, "f" * 40)


async def test_more_than_the_bound_is_refused_with_the_largest_files(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(mirrors_module, "LARGEST_TREE", 1 << 20)
    commit = repo.commit({f"big/{number}.bin": b"x" * (200_000 + number) for number in range(12)})
    with pytest.raises(SourceTooLargeError, match=r"more than 1 MiB.*big/11\.bin \(0\.2 MiB\), big/10\.bin"):
        await mirrors.archive(place, commit)


async def test_a_tree_that_leads_out_of_itself_is_refused(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    blob = repo.git("rev-parse", "HEAD:main.py")
    inner = repo.git("mktree", stdin=f"100644 blob {blob}\tevil\n".encode())
    raw = b"40000 ..\0" + bytes.fromhex(inner)
    outer = repo.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=raw)
    repo.git("update-ref", "refs/heads/evil", repo.git("commit-tree", outer, "-m", "evil"))
    commit = await mirrors.pin(place, ref="evil")
    with pytest.raises(SourceError, match=r"invalid path '\.\./evil'"):
        await mirrors.archive(place, commit)


@pytest.mark.parametrize(
    "path", ["../evil", "/evil", "a/../../evil", ".git/config", "a/.GIT/config", "a/./b"]
)
def test_a_path_that_git_should_not_have_given_is_refused(path: str):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as opened:
        opened.addfile(tarfile.TarInfo(path))
    archive.seek(0)
    with pytest.raises(SourceRefusedError, match="leads out of it"):
        trees._unpacked(archive)


# --- submodules


async def test_submodules_are_included_with_relative_urls_and_nested(tmp_path: Path, mirrors: BareMirrors):
    leaf = make_repo(tmp_path / "host/group/leaf", {"leaf.py": "LEAF = 1\n"})
    middle = make_repo(tmp_path / "host/group/middle", {"middle.py": ""})
    middle.git("remote", "add", "origin", middle.url)
    middle.submodule("../leaf", "nested/leaf")
    middle.commit()
    top = make_repo(tmp_path / "host/top", {"top.py": ""})
    top.git("remote", "add", "origin", top.url)
    top.submodule("../group/middle", "vendor/middle")
    top.submodule(leaf.url, "vendor/leaf")
    commit = top.commit()
    leaf.commit({"leaf.py": "LEAF = 2\n"})  # later than the commit that is meant
    found = contents(await mirrors.archive(GitRepository(project="p", remote=top.url), commit))
    assert found["vendor/leaf/leaf.py"] == b"LEAF = 1\n"
    assert found["vendor/middle/nested/leaf/leaf.py"] == b"LEAF = 1\n"
    assert "vendor/middle/middle.py" in found


async def test_a_submodule_whose_commit_is_gone_names_it(tmp_path: Path, mirrors: BareMirrors):
    inner = make_repo(tmp_path / "inner")
    top = make_repo(tmp_path / "top")
    top.submodule(inner.url, "inner")
    commit = top.commit()
    gone = inner.head
    inner.rewrite({"main.py": "other"})
    with pytest.raises(SourceNotFoundError, match=gone):
        await mirrors.archive(GitRepository(project="p", remote=top.url), commit)


async def test_a_folder_that_is_a_repository_without_gitmodules_stays_empty(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},embedded")
    repo.git("commit", "--quiet", "-m", "embedded")
    assert list(contents(await mirrors.archive(place, repo.head))) == ["data.bin", "lib/a.py", "main.py"]


async def test_an_ignored_or_disabled_submodule_is_left_out(tmp_path: Path, mirrors: BareMirrors):
    inner = make_repo(tmp_path / "inner")
    top = make_repo(tmp_path / "top", {"top.py": "", ".gitattributes": "one export-ignore\n"})
    top.submodule(inner.url, "one")
    top.submodule(inner.url, "two")
    top.git("config", "--file", ".gitmodules", "submodule.two.update", "none")
    found = contents(await mirrors.archive(GitRepository(project="p", remote=top.url), top.commit()))
    assert sorted(found) == [".gitattributes", ".gitmodules", "top.py"]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ext::sh -c touch% /tmp/pwned", "helper"),
        ("--upload-pack=touch /tmp/pwned", "option"),
        ("../../../../../../../../../../../x", "leads above"),
        ("git://example.com/x", "git://"),
        ("https://user:canary@example.com/x", "credential"),
    ],
)
async def test_a_submodules_url_is_checked_like_any_other(
    tmp_path: Path, mirrors: BareMirrors, url: str, says: str
):
    top = make_repo(tmp_path / "top")
    modules = f'[submodule "m"]\n\tpath = m\n\turl = "{url}"\n'
    top.write({".gitmodules": modules})
    top.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},m")
    top.git("add", ".gitmodules")
    top.git("commit", "--quiet", "-m", "module")
    with pytest.raises(SourceRefusedError, match=says) as caught:
        await mirrors.archive(GitRepository(project="p", remote=top.url), top.head)
    assert "canary" not in caught.value.detail


async def test_a_repository_that_contains_itself_ends_somewhere(tmp_path: Path, mirrors: BareMirrors):
    top = make_repo(tmp_path / "top")
    for _ in range(10):
        top.write({".gitmodules": f'[submodule "m"]\n\tpath = m\n\turl = {top.url}\n'})
        top.git("update-index", "--add", "--cacheinfo", f"160000,{top.head},m")
        top.git("add", ".gitmodules")
        top.git("commit", "--quiet", "-m", "deeper")
    with pytest.raises(SourceRefusedError, match="nested deeper than 8"):
        await mirrors.archive(GitRepository(project="p", remote=top.url), top.head)


# --- patches


async def test_a_patch_changes_adds_removes_renames_and_sets_modes(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    repo.write({"main.py": "print(2)\n", "data.bin": BINARY[::-1], "new/file.txt": "new", "new.bin": BINARY})
    repo.git("mv", "lib/a.py", "lib/b.py")
    (repo.path / "main.py").chmod(0o755)
    repo.symlink("link", "main.py")
    repo.git("add", "--all")
    patch, commit = repo.diff(), repo.head
    found = {file.path: file for file in await mirrors.archive(place, commit, patch=patch)}
    assert sorted(found) == ["data.bin", "lib/b.py", "link", "main.py", "new.bin", "new/file.txt"]
    assert found["main.py"] == TreeFile(path="main.py", executable=True, data=b"print(2)\n")
    assert found["data.bin"].data == BINARY[::-1]
    assert found["new.bin"].data == BINARY
    assert found["link"].target == "main.py"
    assert contents(await mirrors.archive(place, commit))["main.py"] == b"print(1)\n"


async def test_a_patch_that_deletes_is_applied_even_without_its_last_newlines(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    (repo.path / "data.bin").unlink()
    repo.write({"main.py": "no newline at the end", "z.bin": BINARY})
    repo.git("add", "--all")
    found = contents(await mirrors.archive(place, repo.head, patch=repo.diff().rstrip()))
    assert found == {"lib/a.py": b"A = 1\n", "main.py": b"no newline at the end", "z.bin": BINARY}


async def test_an_empty_patch_is_none(repo: GitRepo, mirrors: BareMirrors, place: GitRepository):
    assert await mirrors.archive(place, repo.head, patch=b" \n") == await mirrors.archive(place, repo.head)


async def test_export_ignore_of_the_patched_tree_counts(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository
):
    repo.write({".gitattributes": "lib export-ignore\n"})
    repo.git("add", "--all")
    found = contents(await mirrors.archive(place, repo.head, patch=repo.diff()))
    assert sorted(found) == [".gitattributes", "data.bin", "main.py"]


@pytest.mark.parametrize(
    "patch",
    [
        b"nonsense",
        b"diff --git a/gone b/gone\n--- a/gone\n+++ b/gone\n@@ -1 +1 @@\n-a\n+b\n",
        NEW_FILE.replace(b"NAME", b"../evil"),
        NEW_FILE.replace(b"NAME", b".git/hooks/x"),
        b"diff --git a/data.bin b/data.bin\nBinary files a/data.bin and b/data.bin differ\n",
    ],
)
async def test_a_patch_that_does_not_apply_is_told_plainly(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, patch: bytes
):
    with pytest.raises(SourceError, match="The patch does not apply to the commit"):
        await mirrors.archive(place, repo.head, patch=patch)


async def test_a_patch_leaves_nothing_in_the_mirror(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, tmp_path: Path
):
    commit = await mirrors.pin(place)

    def lying_there() -> list[Path]:
        return sorted(path for path in (tmp_path / "data").rglob("*") if path.suffix != ".used")

    before = lying_there()
    repo.write({"new": "x"})
    repo.git("add", "--all")
    await mirrors.archive(place, commit, patch=repo.diff())
    assert lying_there() == before


# --- bundles


async def test_a_bundle_brings_commits_that_the_remote_lacks(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, tmp_path: Path
):
    clone = repo.clone(tmp_path / "clone")
    clone.commit({"one.py": "1"})
    unpushed = clone.commit({"main.py": "print('unpushed')\n"})
    bundle = clone.bundle("origin/main..HEAD")
    assert await mirrors.pin(place, commit=unpushed, bundle=bundle) == unpushed
    assert contents(await mirrors.archive(place, unpushed))["main.py"] == b"print('unpushed')\n"
    assert await mirrors.pin(place, commit=unpushed[:8]) == unpushed


async def test_a_bundle_without_its_ground_on_the_remote_is_refused(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, tmp_path: Path
):
    clone = repo.clone(tmp_path / "clone")
    clone.commit({"one.py": "1"})
    clone.tag("base")
    second = clone.commit({"two.py": "2"})
    with pytest.raises(SourceError, match="The bundle cannot be used"):
        await mirrors.pin(place, commit=second, bundle=clone.bundle("base..HEAD"))


async def test_what_is_no_bundle_is_refused(mirrors: BareMirrors, place: GitRepository):
    with pytest.raises(SourceError, match="The bundle cannot be used"):
        await mirrors.pin(place, commit="1" * 40, bundle=b"nonsense")


async def test_a_bundle_of_another_commit_does_not_help(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, tmp_path: Path
):
    clone = repo.clone(tmp_path / "clone")
    clone.commit({"one.py": "1"})
    with pytest.raises(SourceNotFoundError, match="There is no commit 1111"):
        await mirrors.pin(place, commit="1" * 40, bundle=clone.bundle("origin/main..HEAD"))


async def test_a_bundle_that_lacks_a_part_of_its_commit_is_refused(
    repo: GitRepo, mirrors: BareMirrors, place: GitRepository, tmp_path: Path
):
    clone = repo.clone(tmp_path / "clone")
    unpushed = clone.commit({"large.bin": BINARY * 2})
    command = ("bundle", "create", "--quiet", "--version=3", "-", "--filter=blob:none", "origin/main..HEAD")
    with pytest.raises(SourceNotFoundError, match="with all that it holds, as a bundle"):
        await mirrors.pin(place, commit=unpushed, bundle=clone.git_bytes(*command))
    assert await mirrors.pin(place, commit=unpushed, bundle=clone.bundle("origin/main..HEAD")) == unpushed
