"""``daftray data-sources`` and ``daftray catalogs``: the same commands, each about its own sort.

Which of the two is meant is the name of the group that a command was called in.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from daftray.cli import connection_check, screen, tables
from daftray.cli.options import AsJson, Project
from daftray.cli.session import connect_to_project
from daftray.domain.errors import InvalidInputError

if TYPE_CHECKING:
    from daftray.client import Client
    from daftray.client._sync.catalogs import Catalogs
    from daftray.client._sync.data_sources import DataSources
    from daftray.domain.catalog import Catalog
    from daftray.domain.data_source import DataSource

DATA_SOURCES, CATALOGS = "data-sources", "catalogs"
data_sources = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Data sources of a project: what its runs read."
)
catalogs = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Catalogs of a project: tables that its runs find by name.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name or id.", show_default=False)]
_SET_EPILOG = """\b
FILE is JSON with one key, the kind, and what that kind needs. Of a data source for example:
  {"parquet": {"paths": ["s3://bucket/orders/*.parquet"], "io": {"s3": {"secret_name": "S3"}}}}
and of a catalog:
  {"glue": {"name": "main", "region": "eu-central-1"}}
What `show --json` prints can be set again. Credentials are never in it: keep them with
`daftray secrets set NAME`, and give that name as secret_name.

\b
Examples:
  daftray data-sources set orders --file orders.json
  daftray catalogs show main --json > main.json
"""


class _Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What ``show --json`` printed, as far as it can be set; its kind is checked at the server."""

    info: dict[str, Any]  # any JSON: the server tells all that is wrong with it


def list_all(context: typer.Context, project: Project = None, as_json: AsJson = False) -> None:
    """List those of the project, by name."""
    group = group_of(context)
    found = calls_of(group, connect_to_project(context, project)).list()
    if as_json:
        screen.emit_json({group.replace("-", "_"): found})
        return
    tables.emit_table(
        ["NAME", "KIND", "CREATED", "UPDATED", "ID"],
        [[one.name, one.info.kind, one.created_at, one.updated_at, one.id] for one in found],
    )


def show(context: typer.Context, name: Name, project: Project = None, as_json: AsJson = False) -> None:
    """Show one."""
    _show(calls_of(group_of(context), connect_to_project(context, project)).get(name), as_json=as_json)


def set_one(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.", show_default=False)],
    file: Annotated[
        str,
        typer.Option("--file", metavar="FILE", help="What it is, as JSON; - for stdin.", show_default=False),
    ],
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Keep one under a name, in place of what has that name."""
    info = _read(file)
    client = connect_to_project(context, project)
    kept = calls_of(group_of(context), client).set(name, info)
    if as_json:
        screen.emit_json(kept)
        return
    screen.say(f"{kept.name} of project {client.project} is kept ({kept.info.kind}).")


def delete(context: typer.Context, name: Name, project: Project = None) -> None:
    """Remove one."""
    client = connect_to_project(context, project)
    calls_of(group_of(context), client).delete(name)
    screen.say(f"{name} of project {client.project} is removed.")


def check(
    context: typer.Context,
    name: Name,
    *,
    project: Project = None,
    dep: connection_check.Dependencies = None,
    timeout: connection_check.Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Open it on the cluster by a run of its own, and tell what is there or what is wrong."""
    environment, timeout_s = connection_check.wanted(dep, timeout)
    client = connect_to_project(context, project)
    run = calls_of(group_of(context), client).check(name, environment=environment, timeout_s=timeout_s)
    screen.say(f"run {run.id} opens {name}")
    raise typer.Exit(connection_check.wait_and_tell(client, run, as_json=as_json))


def group_of(context: typer.Context) -> str:
    """Return the name of the group that a command was called in."""
    return (context.parent.info_name if context.parent else None) or DATA_SOURCES


def calls_of(group: str, client: Client) -> DataSources | Catalogs:
    """Return the calls of a group."""
    return client.catalogs if group == CATALOGS else client.data_sources


def _show(found: DataSource | Catalog, *, as_json: bool) -> None:
    if as_json:
        screen.emit_json(found)
        return
    tables.emit_facts(
        [
            ("name", found.name),
            ("id", found.id),
            ("kind", found.info.kind),
            ("created", found.created_at),
            ("updated", found.updated_at),
        ]
    )
    screen.emit("")
    screen.emit_json(found.info)


def _read(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as exc:
        raise InvalidInputError(f"{file} cannot be read: {exc.strerror}.") from exc
    try:
        given = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise InvalidInputError(f"{file} holds no JSON object: {exc}.") from exc
    return msgspec.convert(given, _Shown).info if "info" in given and "id" in given else given


for _app in (data_sources, catalogs):
    _app.command("list")(list_all)
    _app.command("show")(show)
    _app.command("set", epilog=_SET_EPILOG)(set_one)
    _app.command("check", epilog=connection_check.EPILOG)(check)
    _app.command("delete")(delete)
