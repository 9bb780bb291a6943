"""``daftray admin seed``: made-up runs, to measure how a server is with many of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from daftray.cli import screen
from daftray.client.errors import NotConfiguredError

EPILOG = """\b
Examples:
  daftray admin seed --runs 1000000 --data-dir /tmp/many
  daftray serve --ray none --data-dir /tmp/many
\b
The runs have ended, in months before now, in projects named seed-…; a million takes some five gigabytes.
A database that has runs of somebody's is refused, and so is a data folder that a server works on.
"""
_TELL_EVERY = 100_000


def seed(
    *,
    runs: Annotated[int, typer.Option("--runs", min=1, max=10_000_000, help="How many runs to make up.")],
    data_dir: Annotated[
        Path, typer.Option(help="The data folder of the server that is to have them.", metavar="DIR")
    ],
    database_url: Annotated[
        str | None, typer.Option(help="A database elsewhere (DAFTRAY_DATABASE_URL).", metavar="URL")
    ] = None,
) -> None:
    """Fill a database with runs that never were, for measurements."""
    import asyncio

    try:
        from daftray.cli.serve import settings_of
        from daftray.server import seeding
    except ModuleNotFoundError as exc:
        raise NotConfiguredError(
            f"`daftray admin seed` needs more than the base install ({exc.name} is missing):"
            " pip install 'daftray[server]'"
        ) from exc
    given: dict[str, object] = {"data_dir": data_dir}
    settings = settings_of(given if database_url is None else {**given, "database_url": database_url})
    began = time.monotonic()
    asyncio.run(seeding.seed(settings, runs, tell=_tell))
    seconds = max(time.monotonic() - began, 0.001)
    screen.say(f"{runs:,} runs in {seconds:,.1f} s: {runs / seconds:,.0f} a second.")


def _tell(runs: int) -> None:
    if runs % _TELL_EVERY == 0:
        screen.say(f"{runs:,} …")
