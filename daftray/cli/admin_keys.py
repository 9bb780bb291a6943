"""``daftray admin rotate-keys``: seal secrets under a new master key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daftray.cli import screen
from daftray.cli.options import AsJson
from daftray.client.errors import NotConfiguredError

EPILOG = """\b
It works on the database, with the settings of `daftray serve` (DAFTRAY_DATA_DIR, DAFTRAY_DATABASE_URL,
DAFTRAY_MASTER_KEY, …), while servers go on. It can be cut off and called again.
\b
Examples:
  daftray admin rotate-keys --new-key     a new key for a server that keeps its own, and all under it
  daftray admin rotate-keys --dry-run     how many secrets are sealed under older keys
\b
With keys of your own: give all servers `OLD NEW`, then `NEW OLD`, then call this, then take OLD away once
the runs that began before have ended.
"""


def rotate_keys(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="First make a new key in the data folder's own file.")
    ] = False,
    lost: Annotated[
        str | None,
        typer.Option(
            metavar="KEY_ID", help="Let servers start without this key; what it sealed stays closed."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="The data folder (DAFTRAY_DATA_DIR).", metavar="DIR")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Seal everything that older master keys sealed under the first one."""
    import asyncio

    try:
        from daftray.cli.serve import settings_of
        from daftray.server import key_rotation
    except ModuleNotFoundError as exc:
        raise NotConfiguredError(
            f"`daftray admin rotate-keys` needs more than the base install ({exc.name} is missing):"
            " pip install 'daftray[server]'"
        ) from exc
    settings = settings_of({} if data_dir is None else {"data_dir": data_dir})
    done = asyncio.run(key_rotation.rotate(settings, dry_run=dry_run, new_key=new_key, lost=lost))
    if as_json:
        screen.emit_json(done)
    else:
        if not dry_run:
            screen.say(f"{done.resealed:,} secrets were sealed anew, under master key {done.key_id}.")
        for key, count in done.left.items():
            closed = ", which this server does not have" if key in done.unreadable else ""
            screen.say(f"{count:,} are sealed under master key {key}{closed}.")
        if not done.left:
            screen.say("None is sealed under another key.")
    if done.left and not dry_run:
        raise typer.Exit(1)
