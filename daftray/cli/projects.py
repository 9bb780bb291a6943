"""``daftray projects``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from msgspec import UNSET
from msgspec.structs import replace

from daftray.cli import screen, tables
from daftray.cli.checkout import open_checkout
from daftray.cli.limits import MaxRunning, read_places
from daftray.cli.options import AsJson
from daftray.cli.remotes import without_credentials
from daftray.cli.session import connect
from daftray.client.errors import NotConfiguredError
from daftray.domain.errors import InvalidInputError
from daftray.domain.project import Project, ProjectSource

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Projects: a Git remote and its settings."
)

_ProjectName = Annotated[str, typer.Argument(metavar="PROJECT", help="Its name or id.", show_default=False)]
_CREATE_EPILOG = """\b
Examples:
  daftray projects create scoring https://github.com/acme/scoring.git
  daftray projects create scoring --branch develop      the remote of this repository
  daftray projects create secret-sauce git@github.com:acme/sauce.git --credential DEPLOY_KEY
  daftray secrets set DEPLOY_KEY --project secret-sauce --from-file ~/.ssh/deploy_key
  daftray projects create backfill --max-running 2      others of its runs wait meanwhile
"""
_UPDATE_EPILOG = """\b
Examples:
  daftray projects update scoring --max-running 2
  daftray projects update scoring --max-running none    as many as the cluster takes
  daftray projects update scoring --branch develop
"""


@app.command("create", epilog=_CREATE_EPILOG)
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.", show_default=False)],
    remote: Annotated[
        str | None,
        typer.Argument(
            metavar="REMOTE",
            help="https, ssh, or a path where the server allows it; this repository's unless named.",
            show_default=False,
        ),
    ] = None,
    branch: Annotated[
        str | None,
        typer.Option(
            "--branch", metavar="NAME", help="What runs take that name no commit; `main` unless known."
        ),
    ] = None,
    credential: Annotated[
        str | None,
        typer.Option(
            "--credential",
            metavar="SECRET",
            help="The project's secret (token or key) that opens the remote.",
        ),
    ] = None,
    max_running: MaxRunning = None,
    as_json: AsJson = False,
) -> None:
    """Make a project of a Git remote."""
    places = read_places(max_running) if max_running else None
    checkout = None if remote else open_checkout(Path.cwd())
    meant = remote or (checkout.remote if checkout else None)
    if meant is None:
        raise NotConfiguredError("Which remote? Name it, or call this in a Git repository that has one.")
    if without_credentials(meant) != meant and remote:
        raise InvalidInputError(
            "A remote's address must not hold a password or token. Leave it out, keep it with"
            " `daftray secrets set NAME`, and name it with --credential NAME."
        )
    made = connect(context).projects.create(
        name,
        without_credentials(meant),
        branch=branch or (checkout.branch if checkout else None) or "main",
        credential=credential,
        max_running=places,
    )
    _show(made, as_json=as_json)


@app.command("list")
def list_projects(context: typer.Context, as_json: AsJson = False) -> None:
    """List the projects of the workspace."""
    found = connect(context).projects.list()
    if as_json:
        screen.emit_json({"projects": found})
        return
    tables.emit_table(
        ["NAME", "REMOTE", "BRANCH", "CREATED", "ID"],
        [
            [one.name, one.source.remote.remote, one.source.remote.branch, one.created_at, one.id]
            for one in found
        ],
    )


@app.command("get")
def get(context: typer.Context, project: _ProjectName, as_json: AsJson = False) -> None:
    """Show a project."""
    _show(connect(context).projects.get(project), as_json=as_json)


@app.command("update", epilog=_UPDATE_EPILOG)
def update(
    context: typer.Context,
    project: _ProjectName,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Its new name.")] = None,
    branch: Annotated[
        str | None,
        typer.Option("--branch", metavar="NAME", help="What runs take from now on that name no commit."),
    ] = None,
    max_running: MaxRunning = None,
    as_json: AsJson = False,
) -> None:
    """Change a project; what is not given stays."""
    places = UNSET if max_running is None else read_places(max_running)
    if name is None and branch is None and places is UNSET:
        raise InvalidInputError("Nothing to change: give --name, --branch or --max-running.")
    projects = connect(context).projects
    source = _on_branch(projects.get(project).source, branch) if branch else None
    _show(projects.update(project, name=name, source=source, max_running=places), as_json=as_json)


@app.command("delete")
def delete(
    context: typer.Context,
    project: _ProjectName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a project with its runs, logs, results and secrets."""
    client = connect(context)
    found = client.projects.get(project)
    if not yes and not (
        screen.interactive() and screen.ask(f"Remove project {found.name} and all its runs?")
    ):
        raise InvalidInputError(f"Nothing was removed. Say --yes to remove {found.name} without being asked.")
    client.projects.delete(found.id)
    screen.say(f"Project {found.name} is removed.")


def _on_branch(source: ProjectSource, branch: str) -> ProjectSource:
    remote = replace(source.remote, branch=branch)
    return ProjectSource(git=remote) if source.git else ProjectSource(github=remote)


def _show(project: Project, *, as_json: bool) -> None:
    if as_json:
        screen.emit_json(project)
        return
    remote = project.source.remote
    tables.emit_facts(
        [
            ("name", project.name),
            ("id", project.id),
            ("remote", remote.remote),
            ("branch", remote.branch),
            ("credential", remote.credential),
            ("max running", project.max_running),
            ("created", project.created_at),
        ]
    )
