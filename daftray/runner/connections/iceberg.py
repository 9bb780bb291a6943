"""Iceberg by pyiceberg. Daft makes its ``IOConfig`` of the properties of a table's file system itself."""

from __future__ import annotations

from daftray.runner.connections.secret_parts import properties

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def static_table(part: Mapping[str, Any], secrets: Mapping[str, str]) -> Any:
    """Return a table by its metadata file."""
    from pyiceberg.table import StaticTable

    return StaticTable.from_metadata(part["metadata_location"], properties(part, "properties", secrets))


def catalog(part: Mapping[str, Any], secrets: Mapping[str, str]) -> Any:
    """Return a ``daft.Catalog`` of a pyiceberg catalog."""
    from daft.catalog import Catalog
    from pyiceberg.catalog import load_catalog

    given = {key: str(value) for key, value in properties(part, "properties", secrets).items()}
    return Catalog.from_iceberg(load_catalog(str(part.get("name") or "default"), **given))
