"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Project = Annotated[
    str | None,
    typer.Option(
        "--project",
        "-p",
        metavar="PROJECT",
        help="The project, by name or id (DAFTRAY_PROJECT); this repository's unless named.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the API's JSON.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.", show_default=False)]
Attempt = Annotated[
    int | None, typer.Option("--attempt", metavar="N", help="An attempt other than the latest.")
]
Follow = Annotated[
    bool,
    typer.Option("--follow/--detach", help="Follow the run to its end, or print its id and return."),
]
