"""Packages of real commits and folders, unpacked as Ray unpacks them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from git_repos import GitRepo, make_repo
from ray._private.runtime_env.packaging import unzip_package

from daftray.adapters.gitrepo.mirrors import BareMirrors
from daftray.domain.cluster import Package
from daftray.domain.errors import SourceNotFoundError, SourceRefusedError, SourceTooLargeError
from daftray.domain.ports import GitRepository, TreeFile
from daftray.runtime_env import zips
from daftray.runtime_env.packages import ZipPackages

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n".format("a" * 64)


class CountingMirrors(BareMirrors):
    """Real mirrors that note how often a tree was read."""

    archived = 0

    async def archive(
        self, repository: GitRepository, commit: str, *, patch: bytes | None = None
    ) -> Sequence[TreeFile]:
        self.archived += 1
        return await super().archive(repository, commit, patch=patch)


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return make_repo(tmp_path / "remote", {"main.py": "print(1)\n", "lib/a.py": "A = 1\n"})


@pytest.fixture
def mirrors(tmp_path: Path) -> CountingMirrors:
    return CountingMirrors(tmp_path / "git", allow_local=True)


@pytest.fixture
def packages(tmp_path: Path, mirrors: CountingMirrors) -> ZipPackages:
    return ZipPackages(tmp_path / "packages", mirrors=mirrors)


@pytest.fixture
def place(repo: GitRepo) -> GitRepository:
    return GitRepository(project="prj_1", remote=repo.url)


def noise(size: int) -> bytes:
    """Return bytes that do not compress, the same each time."""
    return random.Random(size).randbytes(size)  # noqa: S311 (no secret)


def unpacked(package: Package, target: Path) -> dict[str, str]:
    """Return what Ray makes of a package: paths and contents."""
    unzip_package(str(package.path), str(target), remove_top_level_directory=False, unlink_zip=False)
    return {
        path.relative_to(target).as_posix(): path.read_text(errors="replace")
        for path in sorted(target.rglob("*"))
        if path.is_file()
    }


async def test_a_commit_becomes_a_zip_named_by_its_content(
    repo: GitRepo, packages: ZipPackages, place: GitRepository, tmp_path: Path
):
    package = await packages.build(place, repo.head)
    assert package.name == hashlib.sha256(package.path.read_bytes()).hexdigest() + ".zip"
    assert package.uri == f"gcs://{package.name}"
    assert package.size == package.path.stat().st_size
    assert unpacked(package, tmp_path / "out") == {"lib/a.py": "A = 1\n", "main.py": "print(1)\n"}


async def test_equal_trees_give_equal_bytes_whatever_the_commit_the_remote_and_the_server(
    repo: GitRepo, packages: ZipPackages, place: GitRepository, tmp_path: Path
):
    first = await packages.build(place, repo.head)
    os.utime(repo.path / "main.py", (1, 1))
    second = await packages.build(place, repo.commit(message="No change"))
    other = make_repo(tmp_path / "other", {"lib/a.py": "A = 1\n", "main.py": "print(1)\n"})
    elsewhere = ZipPackages(tmp_path / "p2", mirrors=BareMirrors(tmp_path / "g2", allow_local=True))
    third = await elsewhere.build(GitRepository(project="x", remote=other.url), other.head)
    assert first.name == second.name == third.name
    assert first.path.read_bytes() == third.path.read_bytes()


async def test_a_changed_byte_or_mode_changes_the_name(
    repo: GitRepo, packages: ZipPackages, place: GitRepository
):
    first = await packages.build(place, repo.head)
    (repo.path / "main.py").chmod(0o755)
    second = await packages.build(place, repo.commit())
    third = await packages.build(place, repo.commit({"main.py": "print(2)\n"}))
    assert len({first.name, second.name, third.name}) == 3


async def test_executable_bits_and_a_single_top_folder_survive_ray(tmp_path: Path, packages: ZipPackages):
    repo = make_repo(tmp_path / "r", {"only/run.sh": "#!/bin/sh\n", "only/data": "x"})
    (repo.path / "only/run.sh").chmod(0o755)
    commit = repo.commit()
    package = await packages.build(GitRepository(project="p", remote=repo.url), commit)
    assert list(unpacked(package, tmp_path / "out")) == ["only/data", "only/run.sh"]
    assert os.access(tmp_path / "out/only/run.sh", os.X_OK)
    assert (tmp_path / "out/only/data").stat().st_mode & 0o777 == 0o644


async def test_the_second_build_of_a_commit_runs_no_git(
    repo: GitRepo, packages: ZipPackages, mirrors: CountingMirrors, place: GitRepository, tmp_path: Path
):
    first = await packages.build(place, repo.head)
    assert await packages.build(place, repo.head) == first
    await packages.build(place, repo.head, patch=b"")
    again = ZipPackages(tmp_path / "packages", mirrors=mirrors)
    assert await again.build(place, repo.head) == first
    assert mirrors.archived == 1


async def test_builds_at_the_same_time_read_the_tree_once(
    repo: GitRepo, packages: ZipPackages, mirrors: CountingMirrors, place: GitRepository
):
    built = await asyncio.gather(*(packages.build(place, repo.head) for _ in range(5)))
    assert len(set(built)) == 1
    assert mirrors.archived == 1


async def test_another_project_gets_no_package_that_it_could_not_build(
    repo: GitRepo, packages: ZipPackages, mirrors: CountingMirrors, place: GitRepository
):
    await packages.build(place, repo.head)
    await packages.build(GitRepository(project="prj_2", remote=repo.url), repo.head)
    assert mirrors.archived == 2


async def test_a_patch_makes_another_package(
    repo: GitRepo, packages: ZipPackages, mirrors: CountingMirrors, place: GitRepository, tmp_path: Path
):
    repo.write({"main.py": "print('patched')\n"})
    patch = repo.diff()
    package = await packages.build(place, repo.head, patch=patch)
    assert unpacked(package, tmp_path / "out")["main.py"] == "print('patched')\n"
    assert package != await packages.build(place, repo.head)
    assert package == await packages.build(place, repo.head, patch=patch)
    assert mirrors.archived == 2


async def test_the_cache_lets_the_longest_unused_go(
    tmp_path: Path, repo: GitRepo, mirrors: CountingMirrors, place: GitRepository
):
    packages = ZipPackages(tmp_path / "packages", mirrors=mirrors, bound_bytes=2500)
    commits = [repo.commit({"data": noise(900 + number)}) for number in range(3)]
    first = await packages.build(place, commits[0])
    second = await packages.build(place, commits[1])
    os.utime(first.path, ns=(1, 1))
    os.utime(second.path, ns=(2, 2))
    await packages.build(place, commits[0])  # used: now the second is the oldest
    third = await packages.build(place, commits[2])
    assert [one.path.exists() for one in (first, second, third)] == [True, False, True]
    assert (await packages.build(place, commits[1])).path.exists()
    assert mirrors.archived == 4


async def test_a_package_cut_short_by_a_crash_is_built_again(
    repo: GitRepo, packages: ZipPackages, place: GitRepository, tmp_path: Path
):
    package = await packages.build(place, repo.head)
    package.path.write_bytes(b"")
    again = await packages.build(place, repo.head)
    assert again.name == package.name
    assert unpacked(again, tmp_path / "out")


async def test_links_become_what_they_point_to(tmp_path: Path, packages: ZipPackages):
    repo = make_repo(tmp_path / "r", {"a/real.py": "R = 1\n", "b/deep/x.txt": "x"})
    (repo.path / "a/real.py").chmod(0o755)
    repo.symlink("file.py", "a/real.py")
    repo.symlink("twice.py", "./file.py")
    repo.symlink("folder", "b")
    repo.symlink("a/up.txt", "../folder/deep/x.txt")
    package = await packages.build(GitRepository(project="p", remote=repo.url), repo.commit())
    assert package.warnings == ()
    assert unpacked(package, tmp_path / "out") == {
        "a/real.py": "R = 1\n",
        "a/up.txt": "x",
        "b/deep/x.txt": "x",
        "file.py": "R = 1\n",
        "folder/deep/x.txt": "x",
        "twice.py": "R = 1\n",
    }
    assert os.access(tmp_path / "out/twice.py", os.X_OK)


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../outside", "lib/../../outside", "../remote/main.py", "hop", "/"]
)
async def test_a_link_that_leaves_the_tree_is_refused_by_name(
    repo: GitRepo, packages: ZipPackages, place: GitRepository, target: str
):
    repo.symlink("sub/hop/x", "../..")
    repo.symlink("hop", "sub/hop/x/..") if target == "hop" else None
    repo.symlink("evil", target)
    with pytest.raises(SourceRefusedError, match=r"The link (evil|hop) leads out of the source"):
        await packages.build(place, repo.commit())


async def test_links_to_nothing_and_in_circles_are_left_out_with_a_warning(
    repo: GitRepo, packages: ZipPackages, place: GitRepository, tmp_path: Path
):
    repo.symlink("nothing", "lib/missing.py")
    repo.symlink("through-a-file", "main.py/x")
    repo.symlink("self", "self")
    repo.symlink("ping", "pong")
    repo.symlink("pong", "ping")
    repo.symlink("lib/root", "..")
    package = await packages.build(place, repo.commit())
    assert list(unpacked(package, tmp_path / "out")) == ["lib/a.py", "main.py"]
    (warning,) = package.warnings
    assert warning.startswith(
        "6 links that point at nothing, or at themselves, are left out: lib/root, nothing,"
    )


async def test_links_that_multiply_files_without_end_are_refused(tmp_path: Path, packages: ZipPackages):
    repo = make_repo(tmp_path / "r", {"d20/x": ""})
    for level in range(20):
        repo.symlink(f"d{level}/one", f"../d{level + 1}")
        repo.symlink(f"d{level}/two", f"../d{level + 1}")
    with pytest.raises(SourceTooLargeError, match="remove links to folders"):
        await packages.build(GitRepository(project="p", remote=repo.url), repo.commit())


async def test_lfs_pointers_are_reported(repo: GitRepo, packages: ZipPackages, place: GitRepository):
    names = {f"data/{number}.bin": POINTER for number in range(7)}
    (warning,) = (await packages.build(place, repo.commit(names))).warnings
    assert warning.startswith("7 files are Git LFS pointers")
    assert "data/0.bin, data/1.bin, data/2.bin, data/3.bin, data/4.bin, …" in warning
    again = await packages.build(place, repo.head)
    assert again.warnings == (warning,)


async def test_what_ray_passes_over_is_reported(
    repo: GitRepo, packages: ZipPackages, place: GitRepository, tmp_path: Path
):
    package = await packages.build(place, repo.commit({"back\\slash": "", "c:drive": ""}))
    assert list(unpacked(package, tmp_path / "out")) == ["lib/a.py", "main.py"]
    (warning,) = package.warnings
    assert warning == "2 files are left out, since Ray cannot unpack: back\\slash, c:drive"


async def test_a_path_that_is_not_utf8_is_refused_by_name(
    repo: GitRepo, packages: ZipPackages, place: GitRepository
):
    name = os.fsdecode(b"caf\xe9.txt")
    with pytest.raises(SourceRefusedError, match="not UTF-8"):
        await packages.build(place, repo.commit({name: ""}))


async def test_paths_beyond_ascii_are_kept(
    repo: GitRepo, packages: ZipPackages, place: GitRepository, tmp_path: Path
):
    package = await packages.build(place, repo.commit({"données/café.txt": "é"}))
    assert unpacked(package, tmp_path / "out")["données/café.txt"] == "é"


async def test_more_than_ray_takes_is_refused_with_the_ten_largest(
    repo: GitRepo, packages: ZipPackages, place: GitRepository, monkeypatch: pytest.MonkeyPatch
):
    assert zips.LARGEST_ZIP == 100 * 1024 * 1024
    monkeypatch.setattr(zips, "LARGEST_ZIP", 5 << 20)
    files = {f"data/{number:02}.bin": noise((1 << 20) + number) for number in range(13)}
    with pytest.raises(SourceTooLargeError) as caught:
        await packages.build(place, repo.commit(files))
    for number in range(3, 13):
        assert f"data/{number:02}.bin (1.0 MiB)" in caught.value.detail
    assert "data/02.bin" not in caught.value.detail
    assert "5 MiB that Ray takes" in caught.value.detail


async def test_a_folder_becomes_a_package_without_git_byte_code_and_environments(
    tmp_path: Path, packages: ZipPackages
):
    folder = make_repo(tmp_path / "work", {"main.py": "1", "pkg/__init__.py": ""})
    folder.write(
        {"pkg/__pycache__/x.pyc": "x", ".venv/pyvenv.cfg": "", ".venv/bin/python": "", "new.py": "n"}
    )
    folder.symlink(".venv/lib64", "/usr/lib")
    folder.symlink("alias.py", "main.py")
    os.mkfifo(folder.path / "pipe")
    package = await packages.from_directory(folder.path)
    assert unpacked(package, tmp_path / "out") == {
        "alias.py": "1",
        "main.py": "1",
        "new.py": "n",
        "pkg/__init__.py": "",
    }
    folder.write({"new.py": "changed"})
    assert (await packages.from_directory(folder.path)).name != package.name


async def test_a_folder_whose_link_leaves_it_is_refused(tmp_path: Path, packages: ZipPackages):
    folder = make_repo(tmp_path / "work")
    folder.symlink("evil", "/etc/passwd")
    with pytest.raises(SourceRefusedError, match="evil"):
        await packages.from_directory(folder.path)


async def test_a_folder_that_is_not_there_or_relative_is_refused(tmp_path: Path, packages: ZipPackages):
    with pytest.raises(SourceNotFoundError, match="no folder"):
        await packages.from_directory(tmp_path / "nowhere")
    with pytest.raises(SourceRefusedError, match="absolute"):
        await packages.from_directory(Path("relative"))


async def test_a_huge_file_of_a_folder_is_refused_before_it_is_read(tmp_path: Path, packages: ZipPackages):
    (tmp_path / "work").mkdir()
    with (tmp_path / "work" / "sparse.bin").open("wb") as sparse:
        sparse.truncate(1 << 40)
    with pytest.raises(SourceTooLargeError, match=r"sparse.bin \(1048576.0 MiB\)"):
        await packages.from_directory(tmp_path / "work")


async def test_the_runners_package_holds_the_runner_and_nothing_else_of_daftray(packages: ZipPackages):
    package = await packages.runner()
    names = zipfile.ZipFile(package.path).namelist()
    assert names == sorted(names)
    assert "daftray/__init__.py" in names
    assert "daftray/runner/__init__.py" in names
    inside = [name for name in names if "/" in name]
    assert all(name.startswith("daftray/runner/") or name == "daftray/__init__.py" for name in inside)
    assert not [name for name in inside if "/site/" in name or not name.endswith(".py")]
    assert (await packages.runner()) == package


async def test_a_runners_package_that_went_away_is_made_again(packages: ZipPackages):
    package = await packages.runner()
    package.path.unlink()
    assert await packages.runner() == package
    assert package.path.exists()
