"""Data sources and catalogs in a run: found by name or by what they are, and opened as Daft's own objects.

What a function's parameter gets is looked at in two steps. `Connections.find` needs no network beyond the
control plane, and finds every mistake; `Found.open` reaches out to the storage, database or catalog.
"""

from __future__ import annotations

import json

from daftray.runner import lookup
from daftray.runner.connections import catalogs, plans, sources
from daftray.runner.connections.secret_parts import ConnectionProblem
from daftray.runner.shapes import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

DATA_SOURCE = "data_source"
CATALOG = "catalog"
_WORDS = {DATA_SOURCE: "data source", CATALOG: "catalog"}
_TYPES = {"DataFrame": DATA_SOURCE, "Catalog": CATALOG}
_REQUIRED = {
    "s3": ("bucket", "paths", "format"),
    "supabase_storage": ("project_url", "bucket", "secret_name"),
    **dict.fromkeys(("parquet", "csv", "json", "text", "blob", "warc", "webdataset"), ("paths",)),
    **dict.fromkeys(("video_frames", "files", "glob_paths"), ("paths",)),
    **dict.fromkeys(("deltalake", "hudi", "lance"), ("uri",)),
    "mcap": ("path",),
    "iceberg": (),
    "table": ("catalog", "table"),
    "huggingface": ("repo",),
    "sql": ("query",),
    "supabase": ("secret_name",),
    "glue": ("name",),
    "s3tables": ("table_bucket_arn",),
    "unity": ("endpoint",),
    "gravitino": ("endpoint", "metalake_name"),
}
"""What an info that did not come through the API may lack."""
DEEPEST = 8

_used: list[Connections] = []


def use(connections: Connections) -> None:
    """Make these the connections of this process: a process belongs to one run."""
    _used[:] = [connections]


def current() -> Connections:
    """Return this process's connections; without a run there are none."""
    return _used[0] if _used else Connections({}, dict)


def sort_of(annotation: object) -> str | None:
    """Return what a parameter of that annotation wants: a data source, a catalog, or neither.

    Also as text, where the names in it do not exist when the program runs.
    """
    if isinstance(annotation, str):
        return _sort_of_text(annotation)
    options: tuple[object, ...] = getattr(annotation, "__args__", ())
    if options and type(None) in options:
        rest = [one for one in options if one is not type(None)]
        return sort_of(rest[0]) if len(rest) == 1 else None
    name = getattr(annotation, "__qualname__", "")
    module = getattr(annotation, "__module__", "") or ""
    return _TYPES.get(name) if isinstance(annotation, type) and module.partition(".")[0] == "daft" else None


def _sort_of_text(text: str) -> str | None:
    text = text.replace(" ", "").strip("\"'")
    for before, after in (("Optional[", "]"), ("typing.Optional[", "]"), ("", "|None"), ("None|", "")):
        if text.startswith(before) and text.endswith(after) and len(text) > len(before) + len(after):
            text = text[len(before) : len(text) - len(after)]
            break
    module, _, name = text.rpartition(".")
    return _TYPES.get(name) if module in {"", "daft", "daft.dataframe", "daft.catalog"} else None


def mapping_of(value: object) -> tuple[str, object] | None:
    """Return sort and name of an explicit mapping: ``{"data_source": NAME}`` or ``{"catalog": NAME}``."""
    given = json_object(value) or {}
    if len(given) == 1:
        for sort in _WORDS:
            name = given.get(sort)
            if isinstance(name, str):
                return sort, name
    return None


class Connections:
    """The connections of a run.

    Args:
        secrets: the run's secrets by name.
        fetch: asks the control plane for the project's data sources and catalogs.
    """

    def __init__(self, secrets: Mapping[str, str], fetch: Callable[[], object]) -> None:
        self.secrets = secrets
        self._fetch = fetch
        self._known: dict[str, list[dict[str, Any]]] | None = None

    def find(self, sort: str, value: object) -> Found:
        """Return what a value means: a name, an explicit mapping, or an ``info`` as JSON text or object.

        Raises:
            ConnectionProblem: it means nothing, or a secret that it needs is not there.
        """
        mapped = mapping_of(value)
        if mapped is not None:
            if mapped[0] != sort:
                raise ConnectionProblem(f"give a {_WORDS[sort]}, not a {_WORDS[mapped[0]]}")
            value = mapped[1]
        if isinstance(value, str) and not value.lstrip().startswith("{"):
            return self._named(sort, value)
        return Found(self, sort, _info(sort, value), None)

    def _named(self, sort: str, name: str) -> Found:
        known = self._of(sort)
        for field in ("id", "name"):
            for one in known:
                if one.get(field) == name:
                    return Found(self, sort, one["info"], str(one.get("name")))
        names = [str(one.get("name")) for one in known]
        there = f" There is: {', '.join(sorted(names)[: lookup.MAX_NAMED])}." if names else " There is none."
        near = lookup.close_to(name, names)
        raise ConnectionProblem(f"there is no {_WORDS[sort]} {name!r} in this project.{near or there}")

    def _of(self, sort: str) -> list[dict[str, Any]]:
        if self._known is None:
            told: Any = json_object(self._fetch()) or {}
            self._known = {one: list(told.get(f"{one}s") or ()) for one in _WORDS}
        return self._known[sort]


class Found:
    """A data source or a catalog that has not been opened yet."""

    def __init__(self, connections: Connections, sort: str, info: dict[str, Any], name: str | None) -> None:
        given = {kind: part for kind, part in info.items() if part is not None}
        known = sources.KINDS if sort == DATA_SOURCE else catalogs.KINDS
        if len(given) != 1 or not isinstance(next(iter(given.values())), dict):
            raise ConnectionProblem(
                f"the info of a {_WORDS[sort]} has exactly one of {', '.join(sorted(known))}"
            )
        self.kind, self._part = next(iter(given.items()))
        if self.kind not in known:
            near = lookup.close_to(self.kind, known)
            raise ConnectionProblem(f"{self.kind} is no kind of a {_WORDS[sort]} here.{near}")
        if lacking := [field for field in _REQUIRED.get(self.kind, ()) if self._part.get(field) is None]:
            raise ConnectionProblem(f"the info of a {_WORDS[sort]} ({self.kind}) lacks {', '.join(lacking)}")
        for secret in sorted(_secrets_in(self._part)):
            if secret not in connections.secrets:
                raise ConnectionProblem(
                    f"the {_WORDS[sort]} needs the secret {secret}, which the project does not have: "
                    f"`daftray secrets set {secret}`"
                )
        self.sort = sort
        self.name = name
        self._connections = connections
        self._table = self._table_of_catalog(connections) if self.kind == "table" else None

    def _table_of_catalog(self, connections: Connections) -> Found:
        return connections.find(CATALOG, str(self._part.get("catalog")))

    def open(self) -> Any:
        """Return the ``daft.DataFrame`` or ``daft.Catalog``. What the library raises has a note of this."""
        try:
            if self._table is not None:
                return self._table.open().get_table(self._part["table"]).read()
            plans.hide(self._part, self._connections.secrets)
            reader = sources.KINDS if self.sort == DATA_SOURCE else catalogs.KINDS
            return reader[self.kind](dict(self._part), self._connections.secrets)
        except ConnectionProblem:
            raise
        except Exception as error:
            error.add_note(f"daftray: while opening {self.label}")
            raise

    @property
    def label(self) -> str:
        """It in words."""
        named = f" {self.name!r}" if self.name else ""
        return f"the {_WORDS[self.sort]}{named} ({self.kind})"


def _info(sort: str, value: object) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ConnectionProblem(f"give the name of a {_WORDS[sort]}, or its info as JSON") from None
    info = json_object(value)
    if info is None:
        raise ConnectionProblem(f"give the name of a {_WORDS[sort]}, or its info as JSON")
    return info


def _secrets_in(part: object, depth: int = 0) -> set[str]:
    """Return the names of secrets that a part of an info needs."""
    fields = json_object(part)
    if fields is None or depth > DEEPEST:
        return set()
    names: set[str] = set()
    for name, value in fields.items():
        if name == "secret_name" and isinstance(value, str):
            names.add(value)
        names |= _secrets_in(value, depth + 1)
    return names
