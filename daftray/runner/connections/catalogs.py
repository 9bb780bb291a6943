"""The kinds of catalogs: each from its part of an ``info`` to a ``daft.Catalog``."""

from __future__ import annotations

import importlib

from daftray.runner.connections import iceberg
from daftray.runner.connections.secret_parts import address, as_text, aws, properties
from daftray.runner.connections.storage import gravitino_keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Part = dict[str, Any]
    Secrets = Mapping[str, str]
    Opener = Callable[[Part, Secrets], Any]


def _postgres(part: Part, secrets: Secrets) -> Any:
    from daft.catalog import Catalog

    return Catalog.from_postgres(address(part, secrets), part.get("extensions"))


def _session(part: Part, secrets: Secrets) -> Any:
    import boto3

    found = aws(secrets, part["secret_name"]) if part.get("secret_name") else {}
    return boto3.Session(
        aws_access_key_id=found.get("key_id"),
        aws_secret_access_key=found.get("access_key"),
        aws_session_token=found.get("session_token"),
        region_name=part.get("region") or found.get("region"),
    )


def _glue(part: Part, secrets: Secrets) -> Any:
    from daft.catalog import Catalog

    client = _session(part, secrets).client("glue", endpoint_url=part.get("endpoint"))
    return Catalog.from_glue(part["name"], client=client)


def _s3tables(part: Part, secrets: Secrets) -> Any:
    from daft.catalog import Catalog

    arn = str(part["table_bucket_arn"])
    if not part.get("secret_name"):
        return Catalog.from_s3tables(arn)
    region = arn.split(":")[3]
    return Catalog.from_s3tables(arn, session=_session({**part, "region": region}, secrets))


def _unity(part: Part, secrets: Secrets) -> Any:
    from daft.catalog import Catalog

    inside: Any = importlib.import_module("daft.catalog.__unity")  # where Daft 0.7 has its client
    token = as_text(secrets, part["secret_name"], "token") if part.get("secret_name") else None
    return Catalog.from_unity(inside.UnityCatalogClient(endpoint=part["endpoint"], token=token))


def _gravitino(part: Part, secrets: Secrets) -> Any:
    from daft.catalog import Catalog

    keys = gravitino_keys(part, secrets)
    return Catalog.from_gravitino(part["endpoint"], part["metalake_name"], **keys)


def _paimon(part: Part, secrets: Secrets) -> Any:
    from daft.catalog import Catalog

    pypaimon: Any = importlib.import_module("pypaimon")
    options = properties(part, "options", secrets)
    inner: Any = pypaimon.CatalogFactory.create(options)
    return Catalog.from_paimon(inner, name=part.get("name") or "paimon")


KINDS: dict[str, Opener] = {
    "supabase": _postgres,
    "iceberg": iceberg.catalog,
    "glue": _glue,
    "s3tables": _s3tables,
    "unity": _unity,
    "gravitino": _gravitino,
    "postgres": _postgres,
    "paimon": _paimon,
}
