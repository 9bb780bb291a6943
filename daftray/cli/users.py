"""``daftray users``: passwords come from a prompt or stdin, never from the command line."""

from __future__ import annotations

import sys
from getpass import getpass
from typing import Annotated

import typer

from daftray.cli import screen, tables
from daftray.cli.options import AsJson
from daftray.cli.secrets import read_hidden
from daftray.cli.session import connect
from daftray.domain.errors import InvalidInputError

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="People who use the server: an operator's commands."
)

_Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="What they sign in with: a name or an address.", show_default=False),
]
_ADD_EPILOG = """\b
Examples:
  daftray users add ada@example.com                     asks for a password
  pass show ada | daftray users add ada@example.com
  daftray users add ada@example.com --no-password       signs in by OpenID alone
  daftray members set ada@example.com runner            then gives a role

A password has at least twelve characters. It is never an argument: other users of the machine
can read those.
"""


@app.command("add", epilog=_ADD_EPILOG)
def add(
    context: typer.Context,
    name: _Name,
    operator: Annotated[
        bool, typer.Option("--operator", help="They run the server, and may do everything in it.")
    ] = False,
    no_password: Annotated[bool, typer.Option("--no-password", help="They sign in by OpenID.")] = False,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="ISSUER|SUB", help="Who they are to OpenID.")
    ] = None,
) -> None:
    """Make a user."""
    client = connect(context)
    password = None if no_password else _new_password(f"Password of {name}")
    made = client.users.create(name, password=password, subject=subject, operator=operator)
    screen.say(f"User {made.name} is there.")
    screen.emit(made.id)


@app.command("list")
def list_users(context: typer.Context, as_json: AsJson = False) -> None:
    """List the server's users."""
    found = connect(context).users.list()
    if as_json:
        screen.emit_json({"users": found})
        return
    tables.emit_table(
        ["NAME", "ID", "OPERATOR", "SIGNS IN BY", "CREATED", "DISABLED"],
        [
            [
                one.name,
                one.id,
                "yes" if one.operator else "no",
                "password" if one.has_password else "OpenID",
                one.created_at,
                one.disabled_at,
            ]
            for one in found
        ],
    )


@app.command("passwd")
def passwd(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Whose, as an operator; else your own.", show_default=False),
    ] = None,
) -> None:
    """Set a password. Your own takes the old one first: on stdin, two lines."""
    client = connect(context)
    if name is not None:
        client.users.update(name, password=_new_password(f"New password of {name}"))
    elif sys.stdin.isatty():
        client.users.change_password(old=getpass("Old password: "), new=_new_password("New password"))
    else:
        old, _, new = sys.stdin.read().removesuffix("\n").partition("\n")
        client.users.change_password(old=old, new=new)
    screen.say("The password is set.")


@app.command("disable")
def disable(context: typer.Context, name: _Name) -> None:
    """Shut a user out at once, with the API keys that they made. Nothing of theirs is removed."""
    connect(context).users.update(name, disabled=True)
    screen.say(f"User {name} is shut out; `daftray users enable {name}` lets them in again.")


@app.command("enable")
def enable(context: typer.Context, name: _Name) -> None:
    """Let a user in again who was disabled."""
    connect(context).users.update(name, disabled=False)
    screen.say(f"User {name} may sign in again.")


@app.command("rm")
def remove(context: typer.Context, name: _Name) -> None:
    """Remove a user with all roles."""
    connect(context).users.delete(name)
    screen.say(f"User {name} is removed.")


def _new_password(question: str) -> str:
    """Return what stdin gives, or what is typed twice alike where stdin is a terminal."""
    password = read_hidden(question)
    if not password:
        raise InvalidInputError("The password is empty, so nothing was changed.")
    if sys.stdin.isatty() and getpass("Once more: ") != password:
        raise InvalidInputError("The two are not the same, so nothing was changed.")
    return password
