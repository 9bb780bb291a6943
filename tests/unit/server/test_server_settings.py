from __future__ import annotations

import secrets

import pytest
from pydantic import ValidationError

from daftray.server.settings import ServerSettings


def test_a_master_key_that_could_be_guessed_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAFTRAY_MASTER_KEY", "correct horse")
    with pytest.raises(ValidationError, match="at least 32") as caught:
        ServerSettings()
    (issue,) = caught.value.errors(include_url=False, include_input=False, include_context=False)
    assert "correct horse" not in str(issue)
    assert "correct horse" not in str(caught.value)


def test_a_master_key_is_taken_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    key = secrets.token_hex(32)
    monkeypatch.setenv("DAFTRAY_MASTER_KEY", key)
    settings = ServerSettings()
    assert settings.master_key is not None
    assert settings.master_key.get_secret_value() == key
    assert key not in repr(settings)
