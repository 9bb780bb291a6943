"""``daftray run`` in real Git repositories: what it sends is what Git on the other side can use."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from git_repos import GitRepo, make_repo
from msgspec.structs import replace
from shell import Shell
from small_api import SmallApi

from daftray.domain.project import GitRemote, ProjectSource


@pytest.fixture
def origin(tmp_path: Path, api: SmallApi) -> GitRepo:
    repo = make_repo(tmp_path / "origin", {"main.py": "print(1)\n", "pipelines/score.py": "print(2)\n"})
    source = ProjectSource(git=GitRemote(remote=repo.url))
    api.project = replace(api.project, source=source)
    return repo


@pytest.fixture
def work(origin: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepo:
    clone = origin.clone(tmp_path / "work")
    monkeypatch.chdir(clone.path / "pipelines")
    return clone


@pytest.mark.usefixtures("work")
def test_a_pushed_commit_is_named(shell: Shell, api: SmallApi, origin: GitRepo) -> None:
    assert shell.run("run", "--detach", "score.py") == 0

    assert api.submitted["entrypoint"]["file"]["file_path"] == "pipelines/score.py"
    git = {"remote": "", "hash": origin.head, "ref": None, "bundle": None, "patch": None}
    assert api.submitted["source"]["git"] == git


def test_an_unpushed_commit_is_sent(shell: Shell, api: SmallApi, origin: GitRepo, work: GitRepo) -> None:
    commit = work.commit({"main.py": "print(3)\n"})

    assert shell.run("run", "--detach", "score.py") == 0

    git = api.submitted["source"]["git"]
    assert (git["hash"], git["patch"]) == (commit, None)
    assert f"Commit {commit[:10]} is not on the remote" in shell.err
    origin.write({"sent.bundle": base64.b64decode(git["bundle"])})
    origin.git("fetch", "--quiet", "sent.bundle", "HEAD")
    assert origin.git("show", f"{commit}:main.py") == "print(3)"


def test_what_is_on_disk_is_sent_as_it_is(
    shell: Shell, api: SmallApi, origin: GitRepo, work: GitRepo
) -> None:
    work.write({"main.py": "print(4)\n", "new.py": "pass\n", "data.bin": bytes(range(256))})

    assert shell.run("run", "--detach", "score.py") == 2
    assert "error[invalid-input]: Files here differ" in shell.err
    assert "--patch" in shell.err
    assert api.server.requests(f"POST {api.runs}") == []

    assert shell.run("run", "--detach", "--patch", "score.py") == 0
    origin.git("apply", stdin=api.submitted["source"]["git"]["patch"].encode())
    for name in ("main.py", "new.py", "data.bin"):
        assert (origin.path / name).read_bytes() == (work.path / name).read_bytes()


def test_a_working_copy_can_be_the_remote_itself(
    shell: Shell, api: SmallApi, origin: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(origin.path)

    assert shell.run("run", "--detach", "main.py") == 0
    git = {"remote": "", "hash": origin.head, "ref": None, "bundle": None, "patch": None}
    assert api.submitted["source"]["git"] == git


def test_a_repository_without_a_commit_says_what_to_do(
    shell: Shell, api: SmallApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = GitRepo(tmp_path / "empty")
    empty.path.mkdir()
    empty.git("init", "--quiet")
    empty.write({"main.py": ""})
    monkeypatch.chdir(empty.path)

    assert shell.run("run", "--project", "scoring", "main.py") == 2
    assert "no commit yet" in shell.err
    assert api.server.requests(f"POST {api.runs}") == []


@pytest.mark.usefixtures("work")
def test_other_commands_mean_the_project_of_the_repository_too(shell: Shell, api: SmallApi) -> None:
    assert shell.run("runs", "list", "--json") == 0
    assert shell.json["runs"][0]["id"] == "run_1"
    assert len(api.server.requests(f"GET {api.runs}")) == 1


@pytest.mark.usefixtures("work")
def test_a_project_is_made_of_the_repository(shell: Shell, api: SmallApi, origin: GitRepo) -> None:
    assert shell.run("projects", "create", "other") == 0

    (asked,) = api.server.requests("POST /v1/workspaces/default/projects")
    assert asked.json["source"]["git"] == {"remote": origin.url, "branch": "main", "credential": None}
