from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeClock, InMemoryStores
from github_server import private_key
from pydantic import ValidationError

from daftray.domain.errors import InvalidInputError
from daftray.server.github_wiring import github_access
from daftray.server.settings import ServerSettings

SECRET = "sixteen characters"


def given(monkeypatch: pytest.MonkeyPatch, **values: str) -> ServerSettings:
    for name, value in values.items():
        monkeypatch.setenv(f"DAFTRAY_GITHUB_{name}", value)
    return ServerSettings()


def opens(settings: ServerSettings) -> bool:
    clock = FakeClock()
    return github_access(settings, InMemoryStores(clock).integrations, clock) is not None


def test_without_an_app_there_is_none() -> None:
    assert not opens(ServerSettings())


def test_a_key_comes_as_a_text_in_whichever_way_a_variable_can_hold_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for text in (private_key(), private_key().replace("\n", "\\n")):
        settings = given(monkeypatch, APP_ID="Iv1.8a61f9b3a7aba766", PRIVATE_KEY=text, WEBHOOK_SECRET=SECRET)
        assert opens(settings)
        assert "BEGIN" not in repr(settings)
        assert SECRET not in repr(settings)


def test_a_key_comes_from_a_file_of_the_servers_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    settings = given(monkeypatch, APP_ID="1", PRIVATE_KEY_FILE=str(path))
    with pytest.raises(InvalidInputError, match="cannot be read"):
        opens(settings)
    path.write_text(private_key())
    path.chmod(0o644)
    with pytest.raises(InvalidInputError, match="open to others"):
        opens(settings)
    path.chmod(0o600)
    assert opens(settings)
    path.write_bytes(b"\xff")
    with pytest.raises(InvalidInputError, match="no text"):
        opens(settings)


@pytest.mark.parametrize(
    "values",
    [
        {"APP_ID": "1"},
        {"PRIVATE_KEY": "k"},
        {"APP_ID": "1", "PRIVATE_KEY": "k", "PRIVATE_KEY_FILE": "/k"},
        {"APP_ID": "../1", "PRIVATE_KEY": "k"},
        {"WEBHOOK_SECRET": "short"},
        {"API_URL": "http://github.example/api/v3"},
        {"API_URL": "https://me:hush@github.example"},
        {"API_URL": "github.example"},
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError):
        given(monkeypatch, **values)
