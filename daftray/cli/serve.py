"""``daftray serve``."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from daftray.domain.errors import DaftrayError
from daftray.server import logs
from daftray.server.memory import share_arenas
from daftray.server.serve import Started, serve
from daftray.server.settings import ServerSettings

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)

_EPILOG = """\b
Every option can be set by a variable as well: DAFTRAY_PORT, DAFTRAY_DATA_DIR, DAFTRAY_RAY and so on;
an option wins over its variable. DAFTRAY_MASTER_KEY encrypts secrets at rest; without it a key is made
in the data folder. DAFTRAY_RAY_TOKEN is the token of a cluster that needs one.
\b
Examples:
  daftray serve                                 everything on this machine, a Ray cluster included
  daftray serve --ray http://127.0.0.1:8265     on a Ray cluster that is there already
"""


@app.command(epilog=_EPILOG)
def command(  # noqa: PLR0913 (each is a flag)
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.  [8484]")] = None,
    public_url: Annotated[
        str | None, typer.Option(help="This server's address as the cluster sees it.", metavar="URL")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where everything is kept.  [~/.local/share/daftray]")
    ] = None,
    database_url: Annotated[
        str | None, typer.Option(help="A database elsewhere.  [SQLite in the data folder]", metavar="URL")
    ] = None,
    blobs_url: Annotated[
        str | None,
        typer.Option(help="An object store for logs and results.  [a folder in it]", metavar="URL"),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            help="local, none, or the address of a Ray dashboard.  [local]", metavar="local|none|URL"
        ),
    ] = None,
    keep_ray: Annotated[
        bool | None, typer.Option("--keep-ray", help="Leave the local Ray cluster running at the end.")
    ] = None,
    allow_local_remotes: Annotated[
        bool | None,
        typer.Option("--allow-local-remotes", help="Run code from this machine's own folders too."),
    ] = None,
    max_running: Annotated[
        int | None, typer.Option(help="Runs on the cluster at a time; others wait.  [4]")
    ] = None,
    installer: Annotated[str | None, typer.Option(help="uv or pip.  [uv]", metavar="uv|pip")] = None,
    metrics_open: Annotated[
        bool | None,
        typer.Option("--metrics-open", help="Let everybody read /metrics, without a key."),
    ] = None,
    log_level: Annotated[
        str | None, typer.Option(help="debug, info, warning or error.  [info]", metavar="LEVEL")
    ] = None,
) -> None:
    """Start a server: the HTTP interface, and what carries runs to their ends."""
    given = {name: value for name, value in locals().items() if value is not None}
    settings = settings_of(given)
    logs.configure(settings.log_level)
    share_arenas()
    try:
        asyncio.run(serve(settings, on_started=_announce))
    except DaftrayError as error:
        sys.stderr.write(f"error[{error.code}]: {error.detail}\n")
        raise typer.Exit(1) from error


_PASSWORD = re.compile(r"://[^@]*:[^@]*@|[?&](ssl)?password=")


def settings_of(given: dict[str, object]) -> ServerSettings:
    """Return the server's settings with these options. Ends the command where one of them is not valid."""
    if _PASSWORD.search(str(given.get("database_url"))):
        sys.stderr.write(
            "error[invalid-input]: --database-url: everybody on this machine can read a process's options. "
            "Give an address that holds a password as DAFTRAY_DATABASE_URL.\n"
        )
        raise typer.Exit(2)
    try:
        return ServerSettings(**given)  # pyright: ignore[reportArgumentType] (it validates them)
    except ValidationError as error:
        for issue in error.errors(include_url=False, include_input=False, include_context=False):
            name = "_".join(str(part) for part in issue["loc"])
            option = f"--{name.replace('_', '-')} (DAFTRAY_{name.upper()})"
            sys.stderr.write(f"error[invalid-input]: {option}: {issue['msg']}\n")
        raise typer.Exit(2) from error


def _announce(started: Started) -> None:
    """Print the one line that people and scripts wait for."""
    sys.stdout.write(f"daftray is at {started.url} (Ray: {started.ray}; admin key in {started.admin_key})\n")
    sys.stdout.flush()
