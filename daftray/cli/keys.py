"""``daftray keys``: API keys, shown once."""

from __future__ import annotations

from typing import Annotated

import typer

from daftray.cli import screen, tables
from daftray.cli.options import AsJson
from daftray.cli.session import connect
from daftray.domain.durations import read_duration
from daftray.domain.principal import RoleName

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="API keys of a workspace: an admin's commands."
)

_CREATE_EPILOG = """\b
Examples:
  daftray keys create ci --role runner --project scoring --expires 90d
  daftray keys create grafana --role viewer > grafana-key

The key is printed on stdout, this once. A key that you make as a person never opens more than
you may do yourself, and nothing once you are gone; one that a key makes hangs on nobody.
"""


@app.command("create", epilog=_CREATE_EPILOG)
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.", show_default=False)],
    role: Annotated[
        RoleName, typer.Option("--role", help="What it may do: look, run, or change all.", show_default=False)
    ],
    project: Annotated[
        str | None,
        typer.Option("--project", "-p", metavar="PROJECT", help="The one project that it opens."),
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="SPAN", help="When it ends: 12h, 90d. Else never.")
    ] = None,
    operator: Annotated[
        bool, typer.Option("--operator", help="It opens everything on the server; an operator's to give.")
    ] = False,
) -> None:
    """Make an API key and print it, this once."""
    seconds = None if expires is None else int(read_duration("--expires", expires))
    made = connect(context).api_keys.create(
        name, role, project=project, operator=operator, expires_in_s=seconds
    )
    screen.say(f"Key {made.id} is made. It is not shown again:")
    screen.emit(made.key)


@app.command("list")
def list_keys(context: typer.Context, as_json: AsJson = False) -> None:
    """List the workspace's keys, revoked ones too; their texts never come back."""
    found = connect(context).api_keys.list()
    if as_json:
        screen.emit_json({"api_keys": found})
        return
    tables.emit_table(
        ["ID", "NAME", "ROLE", "PROJECT", "LAST USED", "EXPIRES", "REVOKED", "CREATED"],
        [
            [
                one.id,
                one.name,
                "operator" if one.operator else one.role,
                one.project,
                one.last_used_at,
                one.expires_at,
                one.revoked_at,
                one.created_at,
            ]
            for one in found
        ],
    )


@app.command("revoke")
def revoke(
    context: typer.Context,
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The key's id, as `list` shows it.", show_default=False)
    ],
) -> None:
    """Close a key for good."""
    connect(context).api_keys.revoke(key)
    screen.say(f"Key {key} opens nothing any more.")
