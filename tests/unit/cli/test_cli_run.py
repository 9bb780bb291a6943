"""``daftray run``, typed in a folder that a stand-in says is a Git repository."""

from __future__ import annotations

from pathlib import Path

import pytest
from shell import HEAD, Shell, Tree
from small_api import PROJECTS, SmallApi
from small_server import as_json, as_problem

from daftray.cli import screen


@pytest.mark.usefixtures("tree")
def test_a_run_is_followed_to_its_end(shell: Shell, api: SmallApi) -> None:
    assert shell.run("run", "main.py") == 0

    assert shell.out == "hello\nworld\n"
    assert "run run_1 of project scoring" in shell.err
    assert "pinning" in shell.err
    assert "run run_1 succeeded after 3.0 s" in shell.err
    assert api.submitted["entrypoint"] == {"file": {"file_path": "main.py", "argv": None}}
    assert api.submitted["source"]["git"]["hash"] == HEAD
    assert api.submitted["source"]["git"]["remote"] == ""


@pytest.mark.parametrize(
    ("folder", "typed", "path"),
    [
        (".", "pipelines/score.py", "pipelines/score.py"),
        ("pipelines", "score.py", "pipelines/score.py"),
        ("pipelines/daily", "../score.py", "pipelines/score.py"),
        ("pipelines", "./daily/../score.py", "pipelines/score.py"),
    ],
)
def test_paths_are_relative_to_where_one_is(
    shell: Shell,
    api: SmallApi,
    tree: Tree,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    typed: str,
    path: str,
) -> None:
    monkeypatch.chdir(tree.root / folder)

    assert shell.run("run", "--detach", f"{typed}:main", "--limit=3", "--dry-run") == 0
    assert api.submitted["entrypoint"]["function"] == {
        "module": path,
        "symbol": "main",
        "args": None,
        "kwargs": {"limit": "3", "dry_run": "true"},
    }


def test_a_whole_path_and_a_link_to_the_repository_do_too(
    shell: Shell, api: SmallApi, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tree.root.parent / "link"
    link.symlink_to(tree.root)
    monkeypatch.chdir(link)

    assert shell.run("run", "--detach", str(link / "main.py")) == 0
    assert api.submitted["entrypoint"]["file"]["file_path"] == "main.py"


@pytest.mark.usefixtures("tree")
def test_everything_after_the_entrypoint_is_the_programs(shell: Shell, api: SmallApi) -> None:
    words = ["--json", "-x", "--", "--name=a", "--help", "--limit", "3"]

    assert shell.run("run", "--detach", "main.py", *words) == 0
    assert api.submitted["entrypoint"]["file"]["argv"] == words
    assert "note" not in shell.err


@pytest.mark.usefixtures("tree", "api")
def test_an_option_that_was_hardly_meant_for_the_program_is_pointed_out(shell: Shell) -> None:
    assert shell.run("run", "--detach", "main.py", "--project", "other") == 0
    assert "note: --project goes to your program; put it before ENTRYPOINT" in shell.err


def test_the_environment_is_what_lies_beside_the_entrypoint(
    shell: Shell, api: SmallApi, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree.root / "pyproject.toml").write_text('[project]\ndependencies = ["daft", "numpy"]\n')
    (tree.root / ".python-version").write_text("3.12\n")
    (tree.root / "pipelines" / "requirements.txt").write_text("polars\n")
    monkeypatch.setenv("REGION", "eu")

    shell.run("run", "--detach", "-e", "REGION", "--env", "A=b=c", "pipelines.score")

    environment = api.submitted["environment"]
    assert environment == {
        "python_version": "3.12",
        "dependencies": ["polars"],
        "environment_variables": {"REGION": "eu", "A": "b=c"},
    }
    assert "Dependencies: 1 from pipelines/requirements.txt." in shell.err


def test_what_is_typed_goes_before_what_lies_there(shell: Shell, api: SmallApi, tree: Tree) -> None:
    (tree.root / "requirements.txt").write_text("polars\n")
    (tree.root / "gpu.txt").write_text("torch\n")

    shell.run("run", "--detach", "--dep", "daft", "--python", "3.11", "main.py")
    assert api.submitted["environment"]["dependencies"] == ["daft"]
    assert api.submitted["environment"]["python_version"] == "3.11"

    api.server.asked.clear()
    shell.run("run", "--detach", "--deps-from", "gpu.txt", "--dep", "daft", "main.py")
    assert api.submitted["environment"]["dependencies"] == ["torch", "daft"]


def test_an_env_file_becomes_secrets_and_is_shown_nowhere(shell: Shell, api: SmallApi, tree: Tree) -> None:
    (tree.root / ".env").write_text("TOKEN=hidden-value\n")

    shell.run("run", "--env-file", ".env", "main.py")

    assert api.submitted["secrets"] == {"TOKEN": "hidden-value"}
    assert api.submitted["environment"]["environment_variables"] is None
    assert "hidden" not in shell.out + shell.err


@pytest.mark.usefixtures("tree")
def test_labels_name_and_runner_are_sent(shell: Shell, api: SmallApi) -> None:
    shell.run(
        "run", "--detach", "--name", "n", "--label", "a=b", "--label", "c=d", "--runner", "native", "main.py"
    )

    body = api.submitted
    assert (body["name"], body["labels"], body["runner"]) == ("n", {"a": "b", "c": "d"}, "native")


@pytest.mark.usefixtures("tree")
def test_a_detached_run_prints_its_id(shell: Shell, api: SmallApi) -> None:
    assert shell.run("run", "--detach", "main.py") == 0

    assert shell.out == "run_1\n"
    assert "run run_1 of project" in shell.err
    assert not api.server.requests(f"GET {api.run}")


@pytest.mark.usefixtures("tree", "api")
@pytest.mark.parametrize("mode", ["--detach", "--follow"])
def test_json_is_all_there_is_on_stdout(shell: Shell, mode: str) -> None:
    assert shell.run("run", "--json", mode, "main.py") == 0

    assert shell.json["id"] == "run_1"
    assert ("hello\nworld\n" in shell.err) == (mode == "--follow")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("absent.py", "There is no file absent.py here"),
        ("../elsewhere.py", "outside of the repository"),
        ("main.py:1x", "names no function"),
        ("a b", "neither a Python file nor a module"),
    ],
)
@pytest.mark.usefixtures("tree")
def test_an_entrypoint_that_is_none_is_refused_before_anything_is_sent(
    shell: Shell, api: SmallApi, typed: str, told: str
) -> None:
    assert shell.run("run", typed) == 2
    assert shell.err.startswith("error[invalid-input]: ")
    assert told in shell.err
    assert api.server.asked == []


@pytest.mark.usefixtures("tree")
def test_a_file_of_another_ref_need_not_be_here(shell: Shell, api: SmallApi) -> None:
    assert shell.run("run", "--detach", "--ref", "v1", "absent.py") == 0
    assert api.submitted["source"]["git"]["ref"] == "v1"


def test_the_project_is_that_of_the_remote_however_it_is_written(
    shell: Shell, api: SmallApi, tree: Tree
) -> None:
    tree.has(remote="git@git.example:acme/scoring")

    assert shell.run("run", "--detach", "main.py") == 0
    assert api.submitted["source"]["git"]["remote"] == ""


def test_a_project_of_this_repository_is_offered(
    shell: Shell, api: SmallApi, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.has(remote="https://ada:hidden@git.example/acme/scoring-2.git")

    assert shell.run("run", "main.py") == 2
    assert "daftray projects create scoring-2 https://git.example/acme/scoring-2.git" in shell.err
    assert "hidden" not in shell.err

    monkeypatch.setattr(screen, "interactive", lambda: True)
    monkeypatch.setattr(screen, "ask", lambda question: "'scoring-2'" in question)
    api.server.on(f"POST {PROJECTS}/scoring-2/runs", as_json({"run": api.ended}))
    assert shell.run("run", "--detach", "main.py") == 0
    (made,) = api.server.requests(f"POST {PROJECTS}")
    assert made.json["source"] == {
        "git": {"remote": "https://git.example/acme/scoring-2.git", "branch": "trunk", "credential": None}
    }


def test_without_a_remote_the_project_has_to_be_named(shell: Shell, api: SmallApi, tree: Tree) -> None:
    tree.has(remote=None)

    assert shell.run("run", "main.py") == 2
    assert "no remote" in shell.err
    assert shell.run("run", "--detach", "--project", "scoring", "main.py") == 0
    assert api.submitted["source"]["git"]["hash"] == HEAD


def test_outside_of_a_repository_the_projects_branch_runs(
    shell: Shell, api: SmallApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daftray.cli.run.open_checkout", lambda _: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAFTRAY_PROJECT", "scoring")

    assert shell.run("run", "--detach", "pipelines/score.py") == 0
    assert api.submitted["source"] == {}
    assert api.submitted["entrypoint"]["file"]["file_path"] == "pipelines/score.py"


@pytest.mark.usefixtures("tree")
def test_the_servers_refusal_is_told_with_its_issues(shell: Shell, api: SmallApi) -> None:
    issues = [{"path": "source.git.ref", "message": "there is no such branch"}]
    api.server.on(f"POST {api.runs}", as_problem("source-not-found", 400, "Not there.", errors=issues))

    assert shell.run("run", "main.py") == 2
    assert shell.err.endswith(
        "error[source-not-found]: Not there.\n  source.git.ref: there is no such branch\n"
    )
