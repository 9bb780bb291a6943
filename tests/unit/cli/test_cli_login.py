"""``daftray login``, ``logout`` and ``whoami``."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path

import pytest
from shell import Shell
from small_server import Answer, SmallServer, as_json, as_problem

from daftray.client.profile_file import Profile, profile_path, read_profiles, write_profile

CODES = {
    "device_code": "hidden-code",
    "user_code": "BCDF-GHJK",
    "verification_uri": "http://h/device",
    "verification_uri_complete": "http://h/device?user_code=BCDF-GHJK",
    "expires_in": 900,
    "interval": 5,
}
TOKENS = {"workspace_id": "wsp_1", "access_token": "hidden-a", "refresh_token": "hidden-r"}
ME = {
    "id": "usr_1",
    "name": "ada",
    "kind": "person",
    "operator": True,
    "grants": [{"workspace": "wsp_1", "project": None, "role": "admin"}],
    "csrf_token": None,
}


class Browser:
    """Opens pages by remembering them."""

    def __init__(self) -> None:
        self.pages: list[str] = []

    def open(self, page: str) -> bool:
        self.pages.append(page)
        return True


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    found = Browser()
    monkeypatch.setattr(webbrowser, "get", lambda: found)
    return found


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    passed: list[float] = []
    monkeypatch.setattr("daftray.client._sync.device.pause", passed.append)
    return passed


@pytest.fixture
def signing(
    server: SmallServer, waits: list[float], browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> SmallServer:
    """Let a person approve at the second poll. There is no key, as there is none for who signs in."""
    assert (waits, browser.pages) == ([], [])
    monkeypatch.delenv("DAFTRAY_API_KEY", raising=False)
    pending = Answer(json.dumps({"error": "authorization_pending"}).encode(), status=400)
    server.on("POST /v1/auth/device/authorize", as_json(CODES))
    server.on(
        "POST /v1/auth/device/token",
        lambda _: as_json(TOKENS) if len(server.requests("POST /v1/auth/device/token")) > 1 else pending,
    )
    server.on("GET /v1/auth/session", as_json(ME))
    server.on("POST /v1/auth/revoke", Answer(status=204))
    return server


@pytest.fixture(autouse=True)
def _without_key(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shell.code == 0
    monkeypatch.delenv("DAFTRAY_API_KEY")


def kept(name: str = "default") -> Profile:
    return read_profiles(profile_path()).profiles[name]


def signed_in(server: SmallServer, **more: str) -> None:
    fields = {"url": server.url, "workspace": "wsp_1", "access_token": "a", "refresh_token": "r", **more}
    write_profile(profile_path(), "default", Profile(**fields))


def test_a_person_signs_in(shell: Shell, signing: SmallServer, browser: Browser, waits: list[float]) -> None:
    assert shell.run("login", signing.url) == 0, shell.err
    assert "http://h/device" in shell.err
    assert "BCDF-GHJK" in shell.err
    assert f"Signed in to {signing.url} as ada, in workspace wsp_1. Profile default is in use." in shell.err
    assert "hidden" not in shell.err + shell.out
    assert (browser.pages, waits) == (["http://h/device?user_code=BCDF-GHJK"], [5, 5])
    assert kept() == Profile(
        url=signing.url, workspace="wsp_1", access_token="hidden-a", refresh_token="hidden-r"
    )
    (asked,) = signing.requests("GET /v1/auth/session")
    assert asked.headers["authorization"] == "Bearer hidden-a"
    assert not signing.requests("POST /v1/auth/revoke")


def test_no_browser_is_opened_where_none_is_wanted_or_the_page_is_none(
    shell: Shell, signing: SmallServer, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell.run("login", "--no-browser") == 0
    signing.on(
        "POST /v1/auth/device/authorize", as_json({**CODES, "verification_uri_complete": "file:///etc"})
    )
    assert shell.run("login") == 0
    assert browser.pages == []

    def none() -> Browser:
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "get", none)
    signing.on("POST /v1/auth/device/authorize", as_json(CODES))
    assert shell.run("login") == 0
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("no-such-text-browser"))
    assert shell.run("login") == 0


def test_a_second_sign_in_ends_the_first(shell: Shell, signing: SmallServer) -> None:
    signed_in(signing, project="p")
    assert shell.run("login") == 0
    (asked,) = signing.requests("POST /v1/auth/revoke")
    assert asked.json == {"refresh_token": "r"}
    assert (kept().refresh_token, kept().project) == ("hidden-r", "p")


def test_a_profile_of_another_server_or_with_a_key_is_left_alone(shell: Shell, signing: SmallServer) -> None:
    write_profile(profile_path(), "default", Profile(url="https://other.example", api_key="k"))
    assert shell.run("login", signing.url) == 2
    assert f"daftray --profile NAME login {signing.url}" in shell.err
    assert shell.run("--profile", "new", "login", signing.url) == 0
    assert (kept("new").refresh_token, kept().api_key) == ("hidden-r", "k")
    write_profile(profile_path(), "keyed", Profile(url=signing.url, api_key="k"))
    assert shell.run("login") == 2
    assert "has an API key" in shell.err


def test_a_key_in_the_environment_is_told_of(
    shell: Shell, signing: SmallServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAFTRAY_API_KEY", "key")
    assert shell.run("login") == 0
    assert "DAFTRAY_API_KEY is set, and goes before this sign-in" in shell.err
    assert signing.requests("GET /v1/auth/session")[0].headers["authorization"] == "Bearer hidden-a"


@pytest.mark.parametrize(
    ("error", "told"),
    [("access_denied", "error[sign-in-refused]: No."), ("expired_token", "error[sign-in-expired]: Nobody")],
)
def test_a_refusal_and_a_code_that_is_over_end_it(
    shell: Shell, signing: SmallServer, error: str, told: str
) -> None:
    body = json.dumps({"error": error, "error_description": "No."}).encode()
    signing.on("POST /v1/auth/device/token", Answer(body, status=400))
    assert shell.run("login") == 1
    assert told in shell.err
    assert not profile_path().exists()


def test_who_is_signed_in_is_shown(shell: Shell, signing: SmallServer) -> None:
    signed_in(signing)
    assert shell.run("whoami") == 0
    lines = [line.split() for line in shell.out.splitlines()]
    assert lines[0] == ["name", "ada"]
    assert ["operator", "yes"] in lines
    assert lines[-1] == ["wsp_1", "all", "admin"]
    shell.run("whoami", "--json")
    assert shell.json["id"] == "usr_1"


def test_signing_out_ends_it_here_and_there(shell: Shell, signing: SmallServer) -> None:
    signed_in(signing)
    assert shell.run("logout") == 0
    (asked,) = signing.requests("POST /v1/auth/revoke")
    assert asked.json == {"refresh_token": "r"}
    assert kept() == Profile(url=signing.url, workspace="wsp_1")
    assert shell.run("logout") == 2
    assert "is not signed in" in shell.err


def test_signing_out_can_be_repeated_where_the_server_was_away(shell: Shell, signing: SmallServer) -> None:
    signed_in(signing)
    signing.on("POST /v1/auth/revoke", as_problem("internal", 500, "away"))
    assert shell.run("logout") == 1
    assert kept().refresh_token == "r"


def test_profiles_are_listed_without_tokens(shell: Shell, signing: SmallServer) -> None:
    signed_in(signing, access_token="hidden-a", refresh_token="hidden-r")
    assert shell.run("profile", "list") == 0
    assert shell.out.splitlines()[1].split()[-1] == "sign-in"
    shell.run("profile", "list", "--json")
    assert "hidden" not in shell.out
    assert Path(profile_path()).exists()
