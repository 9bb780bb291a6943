"""What an operator can say about a GitHub App, as a part of the server's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class GithubSettings(BaseSettings):
    """The GitHub App whose installations open private repositories, where there is one."""

    github_app_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")] | None = None
    """The App's id, or its client id."""
    github_private_key: SecretStr | None = None
    """Its private key in PEM form; line breaks may be written as backslash and n."""
    github_private_key_file: Path | None = None
    """A file with that key."""
    github_webhook_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    """What GitHub signs its deliveries with; without it none is taken."""
    github_api_url: str = "https://api.github.com"
    """GitHub's REST API; of an Enterprise server ``https://HOST/api/v3``."""

    @field_validator("github_api_url")
    @classmethod
    def _by_tls(cls, value: str) -> str:
        parts = urlsplit(value)
        local = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if not (parts.scheme == "https" or local) or not parts.hostname or parts.query or "@" in parts.netloc:
            raise ValueError("give the https address of GitHub's REST API")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _app_with_one_key(self) -> Self:
        keys = [self.github_private_key, self.github_private_key_file]
        if sum(key is not None for key in keys) != (self.github_app_id is not None):
            raise ValueError(
                "give github_app_id with one of github_private_key and github_private_key_file, or neither"
            )
        return self
