"""The server that the commands of one call speak to, and the project that they mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import typer

from daftray.cli.checkout import open_checkout
from daftray.cli.project_choice import project_to_look_at

if TYPE_CHECKING:
    from daftray.client import Client


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed before the command's own name."""

    url: str | None = None
    profile: str | None = None
    workspace: str | None = None


def connect(context: typer.Context) -> Client:
    """Return a client of the server that is meant; it is closed when the command ends.

    Raises:
        NotConfiguredError: no server, or no key to it, is known.
    """
    from daftray.client import Client

    session = context.find_object(Session) or Session()
    client = Client(session.url, profile=session.profile, workspace=session.workspace)
    context.call_on_close(client.close)
    return client


def connect_to_project(context: typer.Context, project: str | None) -> Client:
    """Return a client of a project: the one that is named, or else the one of this repository.

    Raises:
        NotConfiguredError: it is not known which.
    """
    client = connect(context)
    named = project or client.project or project_to_look_at(client, open_checkout(Path.cwd()))
    return client.in_project(named)
