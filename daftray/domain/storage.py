"""How storage is reached: what Daft's ``IOConfig`` takes, by kind, with credentials as names of secrets.

``secret_name`` names a secret of the project. `docs/data-sources.md` says what each has to hold; none of
these types ever holds a credential itself.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from daftray.domain.errors import InputIssue
from daftray.domain.forms import Part
from daftray.domain.spec import NonEmpty, VariableName

Url = Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/?#]+[^\s]*$", max_length=4096)]
SecretName = VariableName
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Milliseconds = Annotated[int, msgspec.Meta(ge=1, le=3_600_000)]


class Account(Part, frozen=True, kw_only=True):
    """Storage that knows its callers: by a secret, or not at all."""

    secret_name: SecretName | None = None
    anonymous: bool | None = None

    def issues(self, path: str) -> list[InputIssue]:
        """Refuse a secret for somebody without a name."""
        if self.anonymous and self.secret_name:
            return [InputIssue(path=path, message="give secret_name or anonymous, not both")]
        return []


class S3Storage(Account, frozen=True, kw_only=True):
    """AWS S3, or what speaks its protocol at ``endpoint``."""

    region: NonEmpty | None = None
    endpoint: Url | None = None
    requester_pays: bool | None = None
    verify_ssl: bool | None = None
    force_virtual_addressing: bool | None = None
    num_tries: Count | None = None
    max_connections: Count | None = None
    connect_timeout_ms: Milliseconds | None = None
    read_timeout_ms: Milliseconds | None = None


class AzureStorage(Account, frozen=True, kw_only=True):
    """Azure Blob Storage, and OneLake with ``use_fabric_endpoint``."""

    storage_account: NonEmpty | None = None
    endpoint: Url | None = None
    use_ssl: bool | None = None
    use_fabric_endpoint: bool | None = None
    max_connections: Count | None = None


class GcsStorage(Account, frozen=True, kw_only=True):
    """Google Cloud Storage."""

    project_id: NonEmpty | None = None
    num_tries: Count | None = None
    max_connections: Count | None = None
    connect_timeout_ms: Milliseconds | None = None
    read_timeout_ms: Milliseconds | None = None


class HttpStorage(Part, frozen=True, kw_only=True):
    """Files over HTTP; the secret is a bearer token."""

    secret_name: SecretName | None = None
    num_tries: Count | None = None
    connect_timeout_ms: Milliseconds | None = None
    read_timeout_ms: Milliseconds | None = None


class HuggingFaceStorage(Account, frozen=True, kw_only=True):
    """Hugging Face; the secret is an access token."""

    use_xet: bool | None = None


class UnityStorage(Part, frozen=True, kw_only=True):
    """Volumes of a Unity Catalog; the secret is a token."""

    endpoint: Url
    secret_name: SecretName | None = None


class GravitinoStorage(Part, frozen=True, kw_only=True):
    """Filesets of a Gravitino metalake; the secret is a token, or a password for ``username``."""

    endpoint: Url
    metalake_name: NonEmpty
    auth_type: Literal["simple", "oauth2"] = "simple"
    username: NonEmpty | None = None
    secret_name: SecretName | None = None


class RegionalStorage(Account, frozen=True, kw_only=True):
    """Volcengine TOS, and Tencent COS."""

    region: NonEmpty | None = None
    endpoint: Url | None = None
    max_connections: Count | None = None
    connect_timeout_ms: Milliseconds | None = None
    read_timeout_ms: Milliseconds | None = None


class Storage(Part, frozen=True, kw_only=True):
    """The ``io`` of a data source: the kinds of storage that it reads from."""

    s3: S3Storage | None = None
    azure: AzureStorage | None = None
    gcs: GcsStorage | None = None
    http: HttpStorage | None = None
    hf: HuggingFaceStorage | None = None
    unity: UnityStorage | None = None
    gravitino: GravitinoStorage | None = None
    tos: RegionalStorage | None = None
    cos: RegionalStorage | None = None
