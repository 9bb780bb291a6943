"""The kinds of data sources: each from its part of an ``info`` to a ``daft.DataFrame``."""

from __future__ import annotations

import importlib

from daftray.runner.connections import storage, supabase
from daftray.runner.connections.iceberg import static_table
from daftray.runner.connections.secret_parts import ConnectionProblem, address, properties

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Part = dict[str, Any]
    Secrets = Mapping[str, str]
    Reader = Callable[[Part, Secrets], Any]

FORMATS = {
    "parquet": "read_parquet",
    "csv": "read_csv",
    "json": "read_json",
    "jsonl": "read_json",
    "text": "read_text",
    "blob": "read_blob",
    "warc": "read_warc",
}


def files(reader: str, paths: str = "path") -> Reader:
    """Return what reads files with one of Daft's functions; ``paths`` is what it calls them."""

    def read(part: Part, secrets: Secrets) -> Any:
        import daft

        given = {name: value for name, value in part.items() if value is not None}
        where = given.pop("paths", None) or given.pop("path")
        config = storage.io_config(given.pop("io", None), secrets)
        return getattr(daft, reader)(**{paths: where}, io_config=config, **given)

    return read


def read_format(name: str, paths: list[str], config: Any) -> Any:
    """Read files of a format by its name."""
    import daft

    try:
        reader = getattr(daft, FORMATS[name.lower()])
    except KeyError:
        raise ConnectionProblem(f"the format is none of {', '.join(FORMATS)}") from None
    return reader(paths, io_config=config)


def _s3(part: Part, secrets: Secrets) -> Any:
    paths = [
        f"s3://{part['bucket']}/{path.removeprefix('/')}" for path in _bare(part["bucket"], part["paths"])
    ]
    own = {name: part.get(name) for name in ("region", "endpoint", "secret_name") if part.get(name)}
    config = storage.io_config({"s3": own}, secrets)
    return read_format(str(part["format"]), paths, config)


def _bare(bucket: str, paths: list[str]) -> list[str]:
    """Return paths within the bucket, also of those that name it."""
    return [path.removeprefix(f"s3://{bucket}/") for path in paths]


def _supabase_storage(part: Part, secrets: Secrets) -> Any:
    paths, config = supabase.storage(part, secrets)
    return read_format(str(part.get("format") or "parquet"), paths, config)


def _iceberg(part: Part, secrets: Secrets) -> Any:
    import daft

    version = {name: part[name] for name in ("snapshot_id", "branch", "tag") if part.get(name) is not None}
    return daft.read_iceberg(static_table(part, secrets), **version)


def _paimon(part: Part, secrets: Secrets) -> Any:
    daft: Any = importlib.import_module("daft")
    pypaimon: Any = importlib.import_module("pypaimon")
    options = properties(part, "options", secrets)
    catalog: Any = pypaimon.CatalogFactory.create(options)
    config = storage.io_config(part.get("io"), secrets)
    return daft.read_paimon(catalog.get_table(part["table"]), io_config=config)


def _sql(part: Part, secrets: Secrets) -> Any:
    import daft

    given = {name: value for name, value in part.items() if value is not None}
    conn = address(given, secrets)
    for name in ("url", "secret_name"):
        given.pop(name, None)
    return daft.read_sql(given.pop("query"), conn, **given)


def _kafka(part: Part, secrets: Secrets) -> Any:
    import daft

    given = {name: value for name, value in part.items() if value is not None}
    config = properties(given, "config", secrets)
    for name in ("config", "secret_name"):
        given.pop(name, None)
    return daft.read_kafka(**given, kafka_client_config=config or None)


def _elsewhere(_part: Part, _secrets: Secrets) -> Any:
    raise AssertionError("a table of a catalog is opened by its catalog")


KINDS: dict[str, Reader] = {
    "s3": _s3,
    "supabase_storage": _supabase_storage,
    "parquet": files("read_parquet"),
    "csv": files("read_csv"),
    "json": files("read_json"),
    "text": files("read_text"),
    "blob": files("read_blob"),
    "warc": files("read_warc"),
    "webdataset": files("read_webdataset"),
    "mcap": files("read_mcap"),
    "video_frames": files("read_video_frames"),
    "files": files("from_files"),
    "glob_paths": files("from_glob_path"),
    "huggingface": lambda part, secrets: files("read_huggingface", "repo")(
        {**part, "path": part["repo"], "repo": None}, secrets
    ),
    "hudi": lambda part, secrets: files("read_hudi", "table_uri")(
        {**part, "path": part["uri"], "uri": None}, secrets
    ),
    "lance": lambda part, secrets: files("read_lance", "uri")(
        {**part, "path": part["uri"], "uri": None}, secrets
    ),
    "deltalake": lambda part, secrets: files("read_deltalake", "table")(
        {**part, "path": part["uri"], "uri": None}, secrets
    ),
    "iceberg": _iceberg,
    "paimon": _paimon,
    "table": _elsewhere,
    "sql": _sql,
    "kafka": _kafka,
}
