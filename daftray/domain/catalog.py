"""A catalog: tables that a run finds by name, under a name of its project.

``info`` is externally tagged: `supabase` is Daft Cloud's, the others are Daft's ``Catalog.from_*``. Its
``from_pydict`` is left out: a catalog of tables in memory is a run's own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from daftray.domain.errors import InputIssue
from daftray.domain.forms import Part, Tagged
from daftray.domain.source_tables import Names, Properties, credential_properties
from daftray.domain.spec import Name, NonEmpty
from daftray.domain.storage import SecretName, Url


class SupabaseCatalog(Part, frozen=True, kw_only=True):
    """The PostgreSQL database of a Supabase project, as Daft Cloud has it."""

    secret_name: SecretName


class IcebergCatalog(Part, frozen=True, kw_only=True):
    """A catalog of Iceberg by pyiceberg: REST, SQL, Hive, Glue, DynamoDB, as its properties say."""

    name: NonEmpty = "default"
    properties: Properties = msgspec.field(default_factory=dict[str, str])
    secret_name: SecretName | None = None

    def issues(self, path: str) -> list[InputIssue]:
        """Refuse credentials among the properties."""
        return credential_properties(self.properties, f"{path}.properties")


class GlueCatalog(Part, frozen=True, kw_only=True):
    """AWS Glue. Without a secret, the cluster's own AWS identity is used."""

    name: NonEmpty
    region: NonEmpty | None = None
    endpoint: Url | None = None
    secret_name: SecretName | None = None


class S3TablesCatalog(Part, frozen=True, kw_only=True):
    """A bucket of S3 Tables. Without a secret, the cluster's own AWS identity is used."""

    table_bucket_arn: Annotated[str, msgspec.Meta(pattern=r"^arn:[a-z-]+:s3tables:[^\s]+$")]
    secret_name: SecretName | None = None


class UnityCatalog(Part, frozen=True, kw_only=True):
    """Unity Catalog; the secret is a token."""

    endpoint: Url
    secret_name: SecretName | None = None


class GravitinoCatalog(Part, frozen=True, kw_only=True):
    """A metalake of Gravitino; the secret is a token (``oauth2``), or the password of ``username``."""

    endpoint: Url
    metalake_name: NonEmpty
    auth_type: Literal["simple", "oauth2"] = "simple"
    username: NonEmpty | None = None
    secret_name: SecretName | None = None


class PostgresCatalog(Part, frozen=True, kw_only=True):
    """A PostgreSQL database. ``extensions`` are created where they are missing."""

    url: NonEmpty | None = None
    secret_name: SecretName | None = None
    extensions: Names | None = None

    def issues(self, path: str) -> list[InputIssue]:
        """Refuse no address, and two of them."""
        if (self.url is None) != (self.secret_name is None):
            return []
        message = "give url (without a password), or secret_name of a secret that holds the whole URL"
        return [InputIssue(path=path, message=message)]


class PaimonCatalog(Part, frozen=True, kw_only=True):
    """A catalog of Paimon. ``options`` are pypaimon's."""

    name: NonEmpty = "paimon"
    options: Properties
    secret_name: SecretName | None = None

    def issues(self, path: str) -> list[InputIssue]:
        """Refuse credentials among the options."""
        return credential_properties(self.options, f"{path}.options")


class CatalogInfo(Tagged, frozen=True, kw_only=True):
    """What a catalog is: exactly one kind."""

    supabase: SupabaseCatalog | None = None
    iceberg: IcebergCatalog | None = None
    glue: GlueCatalog | None = None
    s3tables: S3TablesCatalog | None = None
    unity: UnityCatalog | None = None
    gravitino: GravitinoCatalog | None = None
    postgres: PostgresCatalog | None = None
    paimon: PaimonCatalog | None = None


class CatalogRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a create or replace call."""

    name: Name
    info: CatalogInfo


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """A catalog of a project."""

    id: str
    name: str
    info: CatalogInfo
    created_at: datetime
    updated_at: datetime
