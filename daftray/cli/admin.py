"""``daftray admin``: for whoever runs the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from daftray.cli import admin_keys, admin_seed, screen, tables
from daftray.cli.options import AsJson
from daftray.cli.session import connect
from daftray.domain.retention import Collected, Removed

if TYPE_CHECKING:
    from daftray.client import Client

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="For whoever runs the server: it needs an admin's key."
)

_MOST_CALLS = 1000
_EPILOG = """\b
Examples:
  daftray admin gc --dry-run      what would go, how much of it, and by which rule
  daftray admin gc                remove it now; the server does so by itself every few minutes

What is kept is decided by the server's settings: DAFTRAY_KEEP_LOGS_DAYS, DAFTRAY_LOGS_BYTES and so on.
Nothing is removed of a run that has not ended.
"""


@app.callback()
def admin() -> None:
    """For whoever runs the server."""


@app.command("gc", epilog=_EPILOG)
def gc(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what the server does not keep any more."""
    client = connect(context)
    done = client.admin.gc(dry_run=True) if dry_run else _together(_passes(client))
    if as_json:
        screen.emit_json(done)
    else:
        _show(done)


def _passes(client: Client) -> Iterator[Collected]:
    for _ in range(_MOST_CALLS):
        done = client.admin.gc()
        yield done
        # What cannot go now is tried again by the server: a pass that removed nothing is the last.
        if not (done.more and done.removed):
            return


def _together(passes: Iterator[Collected]) -> Collected:
    """Return what several passes did, as one."""
    lines: dict[tuple[str, str], Removed] = {}
    last = Collected(dry_run=False, removed=[])
    for last in passes:
        for line in last.removed:
            before = lines.get((line.what, line.rule))
            lines[line.what, line.rule] = line if before is None else _sum(before, line)
    return replace(last, removed=list(lines.values()))


def _sum(before: Removed, line: Removed) -> Removed:
    sizes = [size for size in (before.size, line.size) if size is not None]
    return replace(line, count=before.count + line.count, size=sum(sizes) if sizes else None)


def _show(done: Collected) -> None:
    for note in done.notes:
        screen.say(f"note: {note}")
    if not done.removed:
        screen.say("Nothing would go." if done.dry_run else "There was nothing to remove.")
    else:
        screen.say("Would go:" if done.dry_run else "Removed:")
        tables.emit_table(
            ["WHAT", "COUNT", "BYTES", "RULE"],
            [
                [line.what, screen.number(line.count), screen.number(line.size), line.rule]
                for line in done.removed
            ],
        )
    if done.more:
        screen.say("There is more: the server goes on with it.")


app.command("rotate-keys", epilog=admin_keys.EPILOG)(admin_keys.rotate_keys)
app.command("seed", epilog=admin_seed.EPILOG)(admin_seed.seed)
