"""``daftray entrypoints``: what of a commit can be run."""

from __future__ import annotations

from typing import Annotated

import typer

from daftray.cli import screen, tables
from daftray.cli.options import AsJson, Project
from daftray.cli.session import connect_to_project
from daftray.domain.signature import Callable, Parameter

EPILOG = """\b
Examples:
  daftray entrypoints                          the Python files of the project's branch
  daftray entrypoints pipelines/score.py       the functions and classes of one
  daftray entrypoints pipelines.score --ref v1.2

The text is read at the server's copy of the remote; nothing is imported or executed.
"""
_STARS = {"var_positional": "*", "var_keyword": "**"}


def entrypoints(
    context: typer.Context,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]", help="A file from the repository's root, or a module.", show_default=False
        ),
    ] = None,
    project: Project = None,
    ref: Annotated[
        str | None,
        typer.Option(
            "--ref", metavar="REF", help="A branch, tag or commit; the project's branch unless named."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what can be run: the files of a commit, or what one of them holds."""
    client = connect_to_project(context, project)
    if file is None:
        listing = client.entrypoints(ref=ref)
        if as_json:
            screen.emit_json(listing)
        elif listing.files:
            screen.emit("\n".join(listing.files))
        _say_what(listing.commit, f"{len(listing.files)} files", truncated=listing.truncated)
        return
    found = client.entrypoints(file, ref=ref)
    if as_json:
        screen.emit_json(found)
    else:
        tables.emit_table(
            ["ENTRYPOINT", "LINE", "SUMMARY"],
            [[f"{found.path}:{_signature(one)}", one.line, one.summary] for one in found.callables],
        )
    _say_what(found.commit, f"{len(found.callables)} entrypoints", truncated=found.truncated)


def _say_what(commit: str, what: str, *, truncated: bool) -> None:
    screen.say(f"{what} at commit {commit[:10]}{'; there are more' if truncated else ''}")


def _signature(one: Callable) -> str:
    if one.parameters is None:
        return f"{one.symbol}(?)"
    return f"{one.symbol}({', '.join(_written(parameter) for parameter in one.parameters)})"


def _written(parameter: Parameter) -> str:
    text = _STARS.get(parameter.kind, "") + parameter.name
    if parameter.annotation:
        text += f": {parameter.annotation}"
    if parameter.default is None:
        return text
    return f"{text} = {parameter.default}" if parameter.annotation else f"{text}={parameter.default}"
