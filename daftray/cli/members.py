"""``daftray members``: who may do what in a workspace or a project."""

from __future__ import annotations

from typing import Annotated

import typer

from daftray.cli import screen, tables
from daftray.cli.options import AsJson
from daftray.cli.session import connect
from daftray.domain.principal import RoleName

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Who may do what in a workspace or a project: an admin's commands.",
)

_User = Annotated[str, typer.Argument(metavar="USER", help="By name or id.", show_default=False)]
_Where = Annotated[
    str | None,
    typer.Option("--project", "-p", metavar="PROJECT", help="In one project, not the whole workspace."),
]
_SET_EPILOG = """\b
Examples:
  daftray members set ada@example.com viewer                    may look at the whole workspace
  daftray members set ada@example.com admin --project scoring   and change one project of it
"""


@app.command("set", epilog=_SET_EPILOG)
def set_member(
    context: typer.Context,
    user: _User,
    role: Annotated[RoleName, typer.Argument(help="What they may do.", show_default=False)],
    project: _Where = None,
) -> None:
    """Give a user a role, in place of the one before."""
    member = connect(context).members.set(user, role, project=project)
    screen.say(f"{member.name} is {member.role} there now.")


@app.command("list")
def list_members(context: typer.Context, project: _Where = None, as_json: AsJson = False) -> None:
    """List who has a role: in the workspace and all its projects, or in one of them."""
    found = connect(context).members.list(project=project)
    if as_json:
        screen.emit_json({"members": found})
        return
    tables.emit_table(
        ["USER", "ROLE", "PROJECT", "ID"], [[one.name, one.role, one.project, one.user_id] for one in found]
    )


@app.command("rm")
def remove(context: typer.Context, user: _User, project: _Where = None) -> None:
    """Take a user's role."""
    connect(context).members.remove(user, project=project)
    screen.say(f"{user} has no role there any more.")
