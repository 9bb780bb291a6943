"""Data sources that are tables, queries and streams."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from daftray.domain.errors import InputIssue
from daftray.domain.forms import Part
from daftray.domain.spec import Name, NonEmpty
from daftray.domain.storage import Count, SecretName, Storage

Properties = dict[NonEmpty, str]
Names = Annotated[list[NonEmpty], msgspec.Meta(min_length=1, max_length=1000)]
_CREDENTIAL = re.compile(
    r"(secret|password|passwd|credential|credentials|token|access[-._]?key([-._]?id)?|secret[-._]?key|sas[-._]?token"
    r"|account[-._]?key|private[-._]?key|connection[-._]?string|jaas\.config)$",
    re.IGNORECASE,
)


def credential_properties(properties: Properties | None, path: str) -> list[InputIssue]:
    """Return the properties that are credentials by their names."""
    message = "is a credential: put it into the secret that secret_name names, as JSON with this key"
    return [
        InputIssue(path=f"{path}.{name}", message=message)
        for name in properties or {}
        if _CREDENTIAL.search(name)
    ]


class IcebergTable(Part, frozen=True, kw_only=True):
    """A table of Iceberg by its metadata file. One of a catalog is a `CatalogTable`."""

    metadata_location: NonEmpty
    snapshot_id: int | None = None
    branch: NonEmpty | None = None
    tag: NonEmpty | None = None
    properties: Properties | None = None
    secret_name: SecretName | None = None

    def issues(self, path: str) -> list[InputIssue]:
        """Refuse two versions, and credentials among the properties."""
        issues = credential_properties(self.properties, f"{path}.properties")
        if sum(one is not None for one in (self.snapshot_id, self.branch, self.tag)) > 1:
            issues.append(InputIssue(path=path, message="give at most one of snapshot_id, branch and tag"))
        return issues


class DeltaTable(Part, frozen=True, kw_only=True):
    """A table of Delta Lake. A text as ``version`` is a time."""

    uri: NonEmpty
    version: int | NonEmpty | None = None
    ignore_deletion_vectors: bool | None = None
    io: Storage | None = None


class HudiTable(Part, frozen=True, kw_only=True):
    """A table of Hudi."""

    uri: NonEmpty
    io: Storage | None = None


class LanceTable(Part, frozen=True, kw_only=True):
    """A table of Lance; a text as ``version`` is a tag."""

    uri: NonEmpty
    version: int | NonEmpty | None = None
    io: Storage | None = None


class PaimonTable(Part, frozen=True, kw_only=True):
    """A table of Paimon. ``options`` are those of pypaimon's catalog."""

    table: NonEmpty
    options: Properties
    secret_name: SecretName | None = None
    io: Storage | None = None

    def issues(self, path: str) -> list[InputIssue]:
        """Refuse credentials among the options."""
        return credential_properties(self.options, f"{path}.options")


class CatalogTable(Part, frozen=True, kw_only=True):
    """A table of one of the project's catalogs."""

    catalog: Name
    table: NonEmpty


class HuggingFaceDataset(Part, frozen=True, kw_only=True):
    """A dataset of Hugging Face: ``owner/name``."""

    repo: NonEmpty
    format: Literal["parquet", "webdataset"] | None = None
    io: Storage | None = None


class SqlQuery(Part, frozen=True, kw_only=True):
    """What a query of a database returns. The address is a SQLAlchemy URL, a secret if it has a password."""

    query: NonEmpty
    url: NonEmpty | None = None
    secret_name: SecretName | None = None
    partition_col: NonEmpty | None = None
    num_partitions: Count | None = None
    partition_bound_strategy: Literal["min-max", "percentile"] | None = None

    def issues(self, path: str) -> list[InputIssue]:
        """Refuse no address, and two of them."""
        issues: list[InputIssue] = []
        if (self.url is None) == (self.secret_name is None):
            message = "give url (without a password), or secret_name of a secret that holds the whole URL"
            issues.append(InputIssue(path=path, message=message))
        if self.num_partitions is not None and self.partition_col is None:
            issues.append(InputIssue(path=f"{path}.partition_col", message="num_partitions needs it"))
        return issues


class KafkaTopics(Part, frozen=True, kw_only=True):
    """What topics of Kafka hold between two offsets, or times, as they are when the run starts."""

    bootstrap_servers: Names
    topics: Names
    start: int | NonEmpty | None = None
    end: int | NonEmpty | None = None
    group_id: NonEmpty | None = None
    partitions: list[Annotated[int, msgspec.Meta(ge=0)]] | None = None
    chunk_size: Count | None = None
    timeout_ms: Count | None = None
    config: Properties | None = None
    secret_name: SecretName | None = None

    def issues(self, path: str) -> list[InputIssue]:
        """Refuse credentials in the configuration."""
        return credential_properties(self.config, f"{path}.config")
