"""``daftray projects``, ``secrets`` and ``profile``; and what every command does when it cannot work."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from shell import Shell
from small_api import PROJECTS, SmallApi
from small_server import Answer, as_json, as_problem

import daftray
from daftray.client.profile import Wanted, find_address

P = ("--project", "scoring")


def test_projects_are_listed_and_shown(shell: Shell, api: SmallApi) -> None:
    shell.run("projects", "list")
    assert shell.out.splitlines()[0].split() == ["NAME", "REMOTE", "BRANCH", "CREATED", "ID"]
    assert "scoring  https://git.example/acme/scoring.git  main" in shell.out
    shell.run("projects", "list", "--json")
    assert shell.json["projects"][0]["id"] == api.project.id
    shell.run("projects", "get", "scoring")
    assert "remote   https://git.example/acme/scoring.git" in shell.out


def test_a_project_is_made(shell: Shell, api: SmallApi) -> None:
    words = ["--branch", "dev", "--credential", "KEY", "--json"]

    assert shell.run("projects", "create", "new", "git@h:o/r.git", *words) == 0
    assert shell.json["name"] == "new"
    (asked,) = api.server.requests(f"POST {PROJECTS}")
    git = {"remote": "git@h:o/r.git", "branch": "dev", "credential": "KEY"}
    assert asked.json == {"name": "new", "source": {"git": git}, "max_running": None}


def test_a_password_in_a_remote_is_refused(shell: Shell, api: SmallApi) -> None:
    assert shell.run("projects", "create", "new", "https://ada:hidden@h/o/r.git") == 2
    assert "--credential NAME" in shell.err
    assert "hidden" not in shell.err
    assert api.server.asked == []


def test_a_name_that_is_taken_is_told(shell: Shell, api: SmallApi) -> None:
    api.server.on(f"POST {PROJECTS}", as_problem("name-taken", 409, "Take another name."))

    assert shell.run("projects", "create", "new", "git@h:o/r.git") == 1
    assert shell.err == "error[name-taken]: Take another name.\n"


def test_a_project_is_removed_only_when_that_is_sure(shell: Shell, api: SmallApi) -> None:
    api.server.on(f"DELETE {PROJECTS}/{api.project.id}", Answer(status=204))

    assert shell.run("projects", "delete", "scoring") == 2
    assert "--yes" in shell.err
    assert shell.run("projects", "delete", "scoring", "--yes") == 0
    assert len(api.server.requests(f"DELETE {PROJECTS}/{api.project.id}")) == 1


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("v\n", "v"), ("v\r\n", "v"), ("two\nlines\n", "two\nlines"), (" v ", " v "), ("v\n\n", "v\n")],
)
def test_a_secret_comes_from_stdin(shell: Shell, api: SmallApi, typed: str, kept: str) -> None:
    api.server.on(f"PUT {PROJECTS}/scoring/secrets/TOKEN", Answer(status=204))

    assert shell.run("secrets", "set", "TOKEN", *P, stdin=typed) == 0
    (asked,) = api.server.requests(f"PUT {PROJECTS}/scoring/secrets/TOKEN")
    assert asked.json == {"value": kept}
    assert shell.out == ""
    assert shell.err == "Secret TOKEN of project scoring is kept.\n"


def test_a_secret_comes_from_a_file_as_it_is(shell: Shell, api: SmallApi, tmp_path: Path) -> None:
    api.server.on(f"PUT {PROJECTS}/scoring/secrets/KEY", Answer(status=204))
    (tmp_path / "key").write_text("-----BEGIN-----\nhidden\n-----END-----\n")

    assert shell.run("secrets", "set", "KEY", *P, "--from-file", str(tmp_path / "key")) == 0
    (asked,) = api.server.requests(f"PUT {PROJECTS}/scoring/secrets/KEY")
    assert asked.json == {"value": "-----BEGIN-----\nhidden\n-----END-----\n"}
    assert "hidden" not in shell.out + shell.err


def test_a_secret_is_never_an_argument(shell: Shell, api: SmallApi) -> None:
    assert shell.run("secrets", "set", "TOKEN", "hidden-value", *P) == 2
    assert api.server.asked == []


@pytest.mark.parametrize("content", [None, b"", b"\xff"])
def test_a_secret_that_is_none_is_refused(
    shell: Shell, api: SmallApi, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)

    assert shell.run("secrets", "set", "KEY", *P, "--from-file", str(file)) == 2
    assert api.server.asked == []


def test_secrets_are_listed_and_removed(shell: Shell, api: SmallApi) -> None:
    secret = {"name": "TOKEN", "created_at": "2030-01-02T00:00:00Z", "updated_at": "2030-01-02T00:00:00Z"}
    api.server.on(f"GET {PROJECTS}/scoring/secrets", as_json({"secrets": [secret]}))
    api.server.on(f"DELETE {PROJECTS}/scoring/secrets/TOKEN", Answer(status=204))

    shell.run("secrets", "list", *P)
    assert shell.out.splitlines()[1] == "TOKEN  2030-01-02 00:00:00Z  2030-01-02 00:00:00Z"
    assert shell.run("secrets", "rm", "TOKEN", *P) == 0
    assert shell.run("secrets", "rm", "OTHER", *P) == 1


def test_a_profile_is_kept_for_its_owner(shell: Shell, environ: dict[str, str]) -> None:
    words = ["profile", "set", "https://x.example/", "--name", "work", "--project", "p"]

    assert shell.run(*words, stdin="hidden-key\n") == 0
    assert "hidden" not in shell.out + shell.err
    path = Path(environ["XDG_CONFIG_HOME"]) / "daftray" / "config.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = {"XDG_CONFIG_HOME": environ["XDG_CONFIG_HOME"]}
    found = find_address(Wanted(), kept)
    assert (found.base_url, found.api_key, found.project) == ("https://x.example", "hidden-key", "p")


def test_profiles_are_listed_without_their_keys(shell: Shell) -> None:
    shell.run("profile", "set", "https://a.example", "--name", "a", stdin="hidden-key")
    shell.run("profile", "set", "https://b.example", "--name", "b", stdin="hidden-key")
    shell.run("profile", "use", "a")

    shell.run("profile", "list")
    assert [line.split() for line in shell.out.splitlines()] == [
        ["NAME", "URL", "PROJECT", "IN", "USE", "BY"],
        ["a", "https://a.example", "-", "yes", "key"],
        ["b", "https://b.example", "-", "-", "key"],
    ]
    shell.run("profile", "list", "--json")
    assert shell.json["profile"] == "a"
    assert "hidden" not in shell.out
    assert shell.run("profile", "use", "c") == 2


def test_a_profile_can_be_meant_for_one_call(
    shell: Shell, api: SmallApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.run("profile", "set", api.server.url, "--name", "small", stdin="profile-key")
    monkeypatch.setenv("DAFTRAY_URL", "http://127.0.0.1:9")

    assert shell.run("--profile", "small", "projects", "list") == 0
    assert api.server.asked[-1].headers["authorization"] == "Bearer profile-key"


def test_the_environments_key_is_used(shell: Shell, api: SmallApi) -> None:
    shell.run("projects", "list")
    assert api.server.asked[-1].headers["authorization"] == "Bearer key"


def test_a_server_that_is_not_there_is_one_clear_line(shell: Shell) -> None:
    assert shell.run("--url", "http://127.0.0.1:9", "projects", "list") == 1
    assert shell.err.startswith(
        "error[server-unreachable]: The daftray server at http://127.0.0.1:9 does not"
    )
    assert len(shell.err.splitlines()) == 1


def test_no_server_at_all_says_how_to_get_one(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAFTRAY_URL")

    assert shell.run("projects", "list") == 2
    assert "daftray serve" in shell.err


def test_a_defect_of_ours_is_told_without_a_traceback(
    shell: Shell, api: SmallApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert api

    def broken(_: object) -> None:
        raise RuntimeError("some\x1b[31mthing")

    monkeypatch.setattr("daftray.cli.screen.emit_json", broken)
    assert shell.run("projects", "list", "--json") == 1
    assert shell.err == (
        "error[internal]: RuntimeError: some\\x1b[31mthing\n"
        "This is a defect of daftray's; DAFTRAY_DEBUG=1 shows where it is.\n"
    )
    monkeypatch.setenv("DAFTRAY_DEBUG", "1")
    shell.run("projects", "list", "--json")
    assert isinstance(shell.raised, RuntimeError)


@pytest.mark.parametrize("name", ["serve", "demo"])
def test_a_command_of_an_extra_says_what_to_install(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delitem(sys.modules, f"daftray.cli.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "daftray.server.settings", None)
    monkeypatch.setitem(sys.modules, "daftray.server.stand_in", None)

    assert shell.run(name, "--help") == 2
    assert "pip install 'daftray[server,local]'" in shell.err


def test_usage_errors_are_not_ours_to_explain(shell: Shell) -> None:
    assert shell.run("runs", "get") == 2
    assert "Missing argument 'RUN'" in shell.err
    assert shell.run("runs", "lost") == 2


def test_the_version_is_told(shell: Shell) -> None:
    assert shell.run("--version") == 0
    assert shell.out == f"{daftray.__version__}\n"
