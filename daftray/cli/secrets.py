"""``daftray secrets``: values come from a prompt, stdin or a file, never from the command line."""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path
from typing import Annotated

import typer

from daftray.cli import screen, tables
from daftray.cli.options import AsJson, Project
from daftray.cli.session import connect_to_project
from daftray.domain.errors import InvalidInputError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Secrets of a project, set in its runs' environment.",
)

_Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The environment variable's name.", show_default=False)
]
_SET_EPILOG = """\b
Examples:
  daftray secrets set OPENAI_API_KEY                       asks for the value
  pass show openai | daftray secrets set OPENAI_API_KEY
  daftray secrets set DEPLOY_KEY --from-file ~/.ssh/deploy_key

The value is never an argument: other users of the machine can read those. One newline at the
end of what stdin gives is left out; a file is taken as it is.
"""


@app.command("set", epilog=_SET_EPILOG)
def set_secret(
    context: typer.Context,
    name: _Name,
    project: Project = None,
    from_file: Annotated[
        Path | None, typer.Option("--from-file", metavar="FILE", help="Read the value from a file.")
    ] = None,
) -> None:
    """Keep a secret, in place of an older one of that name."""
    value = _read_file(from_file) if from_file else read_hidden(f"Value of {name}")
    if not value:
        raise InvalidInputError("The value is empty, so nothing was kept.")
    client = connect_to_project(context, project)
    client.secrets.set(name, value)
    screen.say(f"Secret {name} of project {client.project} is kept.")


@app.command("list")
def list_secrets(context: typer.Context, project: Project = None, as_json: AsJson = False) -> None:
    """List the names of the project's secrets; values never come back."""
    found = connect_to_project(context, project).secrets.list()
    if as_json:
        screen.emit_json({"secrets": found})
        return
    tables.emit_table(
        ["NAME", "CREATED", "UPDATED"], [[one.name, one.created_at, one.updated_at] for one in found]
    )


@app.command("rm")
def remove(context: typer.Context, name: _Name, project: Project = None) -> None:
    """Remove a secret."""
    client = connect_to_project(context, project)
    client.secrets.delete(name)
    screen.say(f"Secret {name} of project {client.project} is removed.")


def read_hidden(question: str) -> str:
    """Return what stdin gives, or what is typed unseen where stdin is a terminal."""
    if sys.stdin.isatty():
        return getpass(f"{question}: ")
    return sys.stdin.read().removesuffix("\n").removesuffix("\r")


def _read_file(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as exc:
        raise InvalidInputError(f"{path} cannot be read: {exc.strerror}.") from exc
    except UnicodeDecodeError as exc:
        raise InvalidInputError(
            f"{path} is not UTF-8 text, which an environment variable has to be."
        ) from exc
