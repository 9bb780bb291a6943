"""What an operator can say about sign-in by an OpenID provider, as a part of the server's settings."""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

from daftray.domain.openid import OpenIdPolicy

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _listed(value: object) -> object:
    """Take a text for the domains that commas or spaces part in it, however they are typed."""
    if not isinstance(value, str):
        return value
    return tuple(domain.lower().removeprefix("@") for domain in value.replace(",", " ").split())


class OpenIdSettings(BaseSettings):
    """The OpenID provider that people sign in at, where there is one."""

    oidc_issuer: str | None = None
    """The provider's address, exactly as it calls itself."""
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    """None for a public client."""
    oidc_name_claim: Annotated[str, Field(min_length=1)] = "email"
    """The claim that holds people's names here. It must be one that people cannot change by themselves."""
    oidc_domains: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = ()
    """Of which e-mail domains people may sign in; of all, where none is given."""
    oidc_create_users: bool = False
    """Whether people sign in whom no admin added before; they have no role then."""

    @field_validator("oidc_issuer")
    @classmethod
    def _secure(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        local = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if not (parts.scheme == "https" or local) or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("give the provider's https address, without a query")
        return value

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.oidc_issuer is None) != (self.oidc_client_id is None):
            raise ValueError("give both oidc_issuer and oidc_client_id, or neither")
        return self

    @property
    def openid_policy(self) -> OpenIdPolicy:
        """Who comes in."""
        return OpenIdPolicy(
            name_claim=self.oidc_name_claim,
            domains=self.oidc_domains,
            create_users=self.oidc_create_users,
        )
