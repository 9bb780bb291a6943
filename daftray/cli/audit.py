"""``daftray audit``: who changed what."""

from __future__ import annotations

from typing import Annotated

import typer

from daftray.cli import screen, tables
from daftray.cli.options import AsJson
from daftray.cli.session import connect

EPILOG = """\b
Examples:
  daftray audit                                  the workspace's newest changes
  daftray audit --action run.cancel --limit 200
  daftray audit --all --actor usr_01…            everywhere on the server, as an operator
"""


def audit(
    context: typer.Context,
    actor: Annotated[
        str | None, typer.Option("--actor", metavar="ID", help="Of one key or user, by id.")
    ] = None,
    action: Annotated[
        str | None, typer.Option("--action", metavar="CODE", help="Of one kind: run.create, key.revoke …")
    ] = None,
    project: Annotated[
        str | None, typer.Option("--project-id", metavar="ID", help="Of one project, by its id.")
    ] = None,
    cursor: Annotated[
        str | None, typer.Option("--cursor", metavar="CURSOR", help="Go on where a page ended.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, metavar="N", help="How many.")] = 50,
    everywhere: Annotated[bool, typer.Option("--all", help="Of the whole server, as an operator.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show who changed what, when, and from where, newest first."""
    log = connect(context).audit
    page = (
        log.list_all(actor=actor, action=action, cursor=cursor, limit=limit)
        if everywhere
        else log.list(actor=actor, action=action, project=project, cursor=cursor, limit=limit)
    )
    if as_json:
        screen.emit_json(page)
        return
    tables.emit_table(
        ["WHEN", "WHO", "WHAT", "OF", "FROM", "WORKSPACE", "PROJECT"],
        [
            [one.at, one.actor_name, one.action, one.target, one.remote, one.workspace, one.project]
            for one in page.entries
        ],
    )
    if page.next_cursor:
        screen.say(f"There are more: --cursor {page.next_cursor}")
