"""``daftray integrations``: what a workspace is connected to."""

from __future__ import annotations

from typing import Annotated

import typer

from daftray.cli import screen, tables
from daftray.cli.options import AsJson
from daftray.cli.session import connect

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Installations of the operator's GitHub App in a workspace.",
)

_Installation = Annotated[
    int,
    typer.Argument(metavar="INSTALLATION", min=1, help="The number that GitHub gave it.", show_default=False),
]


@app.command("list")
def list_integrations(context: typer.Context, as_json: AsJson = False) -> None:
    """List the workspace's integrations, oldest first."""
    found = connect(context).integrations.list()
    if as_json:
        screen.emit_json({"integrations": found})
        return
    tables.emit_table(
        ["INSTALLATION", "CREATED", "BY", "ID"],
        [[str(one.github.installation_id), one.created_at, one.created_by, one.id] for one in found],
    )


@app.command("add")
def add(context: typer.Context, installation: _Installation) -> None:
    """Record an installation of the GitHub App; a second time changes nothing."""
    kept = connect(context).integrations.add(installation)
    screen.say(f"Installation {installation} is recorded.")
    screen.emit(kept.id)


@app.command("rm")
def remove(context: typer.Context, installation: _Installation) -> None:
    """Take an installation out."""
    connect(context).integrations.remove(installation)
    screen.say(f"Installation {installation} is taken out.")
