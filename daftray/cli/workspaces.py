"""``daftray workspaces``: walls between teams."""

from __future__ import annotations

from typing import Annotated

import typer

from daftray.cli import screen, tables
from daftray.cli.options import AsJson
from daftray.cli.session import connect

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Workspaces: walls between teams.")


@app.command("create")
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.", show_default=False)],
) -> None:
    """Make a workspace, as an operator; `daftray --workspace NAME …` then means it."""
    made = connect(context).workspaces.create(name)
    screen.say(f"Workspace {made.name} is there.")
    screen.emit(made.id)


@app.command("list")
def list_workspaces(context: typer.Context, as_json: AsJson = False) -> None:
    """List the workspaces that you have something in."""
    found = connect(context).workspaces.list()
    if as_json:
        screen.emit_json({"workspaces": found})
        return
    tables.emit_table(["NAME", "ID", "CREATED"], [[one.name, one.id, one.created_at] for one in found])
