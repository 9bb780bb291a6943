from __future__ import annotations

import pytest
from pydantic import ValidationError

from daftray.domain.openid import OpenIdPolicy
from daftray.server.settings import ServerSettings


def given(monkeypatch: pytest.MonkeyPatch, **values: str) -> ServerSettings:
    for name, value in values.items():
        monkeypatch.setenv(f"DAFTRAY_OIDC_{name}", value)
    return ServerSettings()


def test_without_a_provider_nothing_is_said_of_one() -> None:
    settings = ServerSettings()
    assert (settings.oidc_issuer, settings.openid_policy) == (None, OpenIdPolicy())


def test_a_provider_is_named_by_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(
        monkeypatch,
        ISSUER="https://id.example/realm/",
        CLIENT_ID="daftray",
        CLIENT_SECRET="hush",
        NAME_CLAIM="upn",
        DOMAINS="@Example.org, example.com",
        CREATE_USERS="true",
    )
    assert settings.oidc_issuer == "https://id.example/realm/"
    assert "hush" not in repr(settings)
    domains = ("example.org", "example.com")
    assert settings.openid_policy == OpenIdPolicy(name_claim="upn", domains=domains, create_users=True)


def test_what_has_to_be_known_of_a_person_follows_from_it() -> None:
    address = ("email", "email_verified")
    assert OpenIdPolicy().claims == address
    assert OpenIdPolicy(name_claim="upn").claims == ("upn",)
    assert OpenIdPolicy(name_claim="upn", domains=("example.org",)).claims == ("upn", *address)


@pytest.mark.parametrize(
    "issuer",
    [
        "http://id.example",
        "http://127.0.0.1.evil.example",
        "id.example",
        "https://",
        "https://a?b",
        "ftp://a",
    ],
)
def test_an_issuer_is_spoken_to_by_tls(issuer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="https address"):
        given(monkeypatch, ISSUER=issuer, CLIENT_ID="daftray")


@pytest.mark.parametrize("name", ["ISSUER", "CLIENT_ID"])
def test_half_a_provider_is_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="both"):
        given(monkeypatch, **{name: "https://id.example"})


def test_an_issuer_on_this_machine_needs_no_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(monkeypatch, ISSUER="http://127.0.0.1:8080", CLIENT_ID="daftray").oidc_issuer
