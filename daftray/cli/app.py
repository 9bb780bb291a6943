"""The commands, and where each comes from."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

import daftray
from daftray.cli import (
    admin,
    audit,
    connections,
    entrypoints,
    integrations,
    keys,
    login,
    members,
    prices,
    profile,
    projects,
    run,
    runs,
    secrets,
    tasks,
    users,
    workspaces,
)
from daftray.cli.failures import CommandGroup
from daftray.cli.session import Session
from daftray.client.errors import NotConfiguredError

_EPILOG = """\b
Examples:
  daftray serve                                    a server with a Ray cluster of its own
  daftray run pipelines/score.py --limit 100       run a file of this Git repository
  daftray run pipelines/score.py:main --limit=100  call a function in it
  daftray runs list
  daftray runs logs RUN --follow

Address and key of the server: DAFTRAY_URL and DAFTRAY_API_KEY, else the profile
(`daftray login`, `daftray profile set`), else the server that runs on this machine.
"""

app = typer.Typer(
    cls=CommandGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(
    "run",
    context_settings=run.CONTEXT_SETTINGS,
    epilog=run.EPILOG,
    short_help="Run a file, module or function on the cluster.",
)(run.run)
app.add_typer(runs.app, name="runs")
app.add_typer(tasks.app, name="tasks")
app.command("entrypoints", epilog=entrypoints.EPILOG)(entrypoints.entrypoints)
app.add_typer(projects.app, name="projects")
app.add_typer(secrets.app, name="secrets")
app.add_typer(connections.data_sources, name=connections.DATA_SOURCES)
app.add_typer(connections.catalogs, name=connections.CATALOGS)
app.add_typer(prices.app, name="prices")
app.add_typer(profile.app, name="profile")
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.add_typer(workspaces.app, name="workspaces")
app.add_typer(members.app, name="members")
app.add_typer(integrations.app, name="integrations")
app.command("login", epilog=login.LOGIN_EPILOG)(login.login)
app.command("logout")(login.logout)
app.command("whoami")(login.whoami)
app.command("audit", epilog=audit.EPILOG)(audit.audit)
app.add_typer(admin.app, name="admin")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(daftray.__version__)
        raise typer.Exit


@app.callback(epilog=_EPILOG)
def daftray_command(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="The server's address (DAFTRAY_URL).")
    ] = None,
    profile_name: Annotated[
        str | None,
        typer.Option("--profile", metavar="NAME", help="The profile to use (DAFTRAY_PROFILE)."),
    ] = None,
    workspace: Annotated[
        str | None, typer.Option("--workspace", metavar="NAME", help="The workspace; `default` unless named.")
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Run Python from a Git commit on Ray, and keep its state, log, problems, result and metrics."""
    context.obj = Session(url=url, profile=profile_name, workspace=workspace)


# Whatever these two import (a web server, Ray) is imported when they are called: their own modules hold
# the options, in a `typer.Typer` named `app`.
_PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": list[str]()}


@app.command("serve", context_settings=_PASS_ON, short_help="Start a server and a Ray cluster.")
def serve(context: typer.Context) -> None:
    """Start a server, with a Ray cluster of its own unless told otherwise."""
    _pass_on("serve", context.args)


@app.command("demo", context_settings=_PASS_ON, short_help="Show it all on a small pipeline.")
def demo(context: typer.Context) -> None:
    """Show it all: a server in a temporary place, and a Daft pipeline that runs on it."""
    _pass_on("demo", context.args)


def _pass_on(name: str, arguments: list[str]) -> None:
    try:
        command: typer.Typer = import_module(f"daftray.cli.{name}").app
    except ModuleNotFoundError as exc:
        raise NotConfiguredError(
            f"`daftray {name}` needs more than the base install ({exc.name} is missing):"
            " pip install 'daftray[server,local]'"
        ) from exc
    command(args=arguments, prog_name=f"daftray {name}")
