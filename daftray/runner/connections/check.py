"""The functions behind ``check``: open a data source or a catalog, and tell what is there.

A check is an ordinary run whose entrypoint is one of these. They do nothing that a run of the project
could not do: they are handed the same secrets, and only what they return is shown.
"""

from __future__ import annotations

from daftray.runner import connections
from daftray.runner.connections.secret_parts import ConnectionProblem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST_LISTED = 200
LONGEST_REASON = 4096


def data_source(name: str) -> dict[str, object]:
    """Open a data source: its columns with types, and how many rows came of asking for one."""

    def look() -> dict[str, object]:
        frame: Any = connections.current().find(connections.DATA_SOURCE, name).open()
        columns = [{"name": str(field.name), "type": str(field.dtype)} for field in frame.schema()]
        rows = frame.limit(1).count_rows()
        return {"columns": columns, "rows_seen": rows}

    return _told(look)


def catalog(name: str) -> dict[str, object]:
    """Open a catalog: some of its namespaces and tables."""

    def look() -> dict[str, object]:
        opened: Any = connections.current().find(connections.CATALOG, name).open()
        found = _listed(opened.list_namespaces)
        tables = _listed(opened.list_tables)
        return {
            "namespaces": found[:MOST_LISTED],
            "tables": tables[:MOST_LISTED],
            "more": len(found) > MOST_LISTED or len(tables) > MOST_LISTED,
        }

    return _told(look)


def _listed(listing: Callable[..., Any]) -> list[str]:
    try:
        return [str(one) for one in listing(limit=MOST_LISTED + 1)]
    except TypeError:  # a catalog that takes no limit
        return [str(one) for one in listing()]
    except NotImplementedError:
        return []


def _told(look: Callable[[], dict[str, object]]) -> dict[str, object]:
    try:
        return {"ok": True, **look()}
    except ConnectionProblem as problem:
        return {"ok": False, "error": {"type": "ConnectionProblem", "reason": str(problem)}}
    except Exception as error:
        kind = type(error)
        name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
        return {"ok": False, "error": {"type": name, "reason": str(error)[:LONGEST_REASON]}}
