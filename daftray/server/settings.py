"""The operator's settings: flags of ``daftray serve``, or ``DAFTRAY_*`` variables of the same names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from daftray.server.github_settings import GithubSettings
from daftray.server.openid_settings import OpenIdSettings
from daftray.server.retention_settings import GIBIBYTE, RetentionSettings

SHORTEST_MASTER_KEY = 32


def keys_in(text: str) -> list[str]:
    """Return the keys of a text, which spaces, line breaks or commas part."""
    return [key for key in re.split(r"[\s,]+", text) if key]


def default_data_dir() -> Path:
    """Return where the server keeps its data when nobody says otherwise (XDG base directories)."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "daftray"


class ServerSettings(RetentionSettings, OpenIdSettings, GithubSettings):
    """Everything an operator can set. Paths are absolute, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix="DAFTRAY_", extra="ignore", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8484
    public_url: str | None = None
    """This server's address as the cluster sees it; by default the address it listens on."""
    data_dir: Path = Field(default_factory=default_data_dir)
    database_url: SecretStr | None = None
    """Secret, since it may hold a password."""
    blobs_url: str | None = None
    ray: str = "local"
    """``local`` (the embedded cluster), ``none``, or the address of a Ray dashboard."""
    ray_token: SecretStr | None = None
    keep_ray: bool = False
    allow_local_remotes: bool = False
    master_key: SecretStr | None = None
    """Keys that seal secrets, by spaces or commas: the first one seals, all open."""
    master_key_file: Path | None = None
    """A file with such keys, one a line."""
    master_key_command: str | None = None
    """A command that prints such keys, from a key service for instance; it is run once, without a shell."""
    max_running: Annotated[int, Field(ge=1)] = 4
    """Runs on the cluster at a time; the others wait in the queue."""
    head_reserve_bytes: Annotated[int, Field(ge=0)] = 512 * 1024**2
    """Memory of the cluster's head that stays free of runs."""
    run_memory_bytes: Annotated[int, Field(ge=1)] = 400 * 1024**2
    """Memory of the head that a starting run is reckoned with: its supervisor and its driver."""
    queue_timeout_s: Annotated[float, Field(gt=0)] = 7 * 24 * 3600
    start_timeout_s: Annotated[float, Field(gt=0)] = 1800
    """How long a run waits for a place, and takes to start, where it does not say so itself."""
    cluster_timeout_s: Annotated[float, Field(gt=0)] = 600
    """How long neither the cluster nor the run may be heard of before the run fails."""
    claim_lease_s: Annotated[float, Field(gt=0)] = 15.0
    """How long the others leave alone what a server that was killed was doing."""
    installer: Literal["uv", "pip"] = "uv"
    metrics_open: bool = False
    ray_events_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    """What the address ends in that Ray's event export posts to; without it none is taken."""
    """Whether anybody who reaches the server may read ``/metrics``; else it takes a key, as all else does."""
    package_cache_bytes: Annotated[int, Field(ge=0)] = 2 * GIBIBYTE
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    failpoints: str | None = None
    """Where this server is to die, for tests (`daftray/server/failpoints.py`)."""

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("master_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        # Keys are derived from it by a fast hash, and the database names it by another: no guess may find it.
        keys = keys_in(value.get_secret_value()) if value is not None else []
        if any(len(key) < SHORTEST_MASTER_KEY for key in keys):
            raise ValueError(
                f"give at least {SHORTEST_MASTER_KEY} random characters, made by "
                "python3 -c 'import secrets; print(secrets.token_hex(32))'"
            )
        return value

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Self:
        given = [bool(self.master_key and self.master_key.get_secret_value())]
        given += [self.master_key_file is not None, bool(self.master_key_command)]
        if sum(given) > 1:
            raise ValueError("give only one of master_key, master_key_file and master_key_command")
        return self

    @field_validator("ray")
    @classmethod
    def _known_ray(cls, value: str) -> str:
        if value in {"local", "none"} or value.startswith(("http://", "https://")):
            return value.rstrip("/")
        raise ValueError("give local, none, or the http(s) address of a Ray dashboard")

    @property
    def database(self) -> str:
        """The database's address: SQLite in the data folder by default."""
        given = self.database_url.get_secret_value() if self.database_url else ""
        return given or f"sqlite+aiosqlite:///{self.data_dir / 'daftray.db'}"

    @property
    def blobs(self) -> str:
        """Where blobs are kept: a folder in the data folder by default."""
        return self.blobs_url or str(self.data_dir / "blobs")
