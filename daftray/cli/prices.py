"""``daftray prices``: what the models of a project cost."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from daftray.cli import screen, tables
from daftray.cli.options import AsJson, Project
from daftray.cli.session import connect_to_project
from daftray.domain.errors import InvalidInputError
from daftray.domain.price import Price, PriceTable

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Prices of models, in US dollars, by which the cost of runs is worked out.",
)

_SET_EPILOG = """\b
FILE is JSON: a list of prices, the first that fits a model is the model's.
  [{"model": "gpt-5-mini*", "per_million_tokens_in": 0.25, "per_million_tokens_out": 2},
   {"model": "embed-*", "provider": "openai", "per_million_tokens_in": 0.02},
   {"model": "flux-?", "per_request": 0.04}]
* and ? are wildcards. What a price does not name is not charged for.

\b
Examples:
  daftray prices set prices.json --note "list prices of November"
  daftray prices get --json > prices.json     what `set` takes again
"""


class _Given(msgspec.Struct, frozen=True, kw_only=True):
    """What ``daftray prices get --json`` printed, as far as it can be set."""

    prices: list[Price]


@app.command("set", epilog=_SET_EPILOG)
def set_prices(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The prices; - for stdin.", show_default=False)],
    project: Project = None,
    note: Annotated[str | None, typer.Option("--note", metavar="TEXT", help="Why, for people.")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep prices for the runs that are created from now on, in place of those that there were."""
    prices = _read(file)
    client = connect_to_project(context, project)
    kept = client.prices.set(prices, note=note)
    if as_json:
        screen.emit_json(kept)
        return
    screen.say(f"{len(kept.prices)} prices of project {client.project} are version {kept.version}.")


@app.command("get")
def get(
    context: typer.Context,
    project: Project = None,
    version: Annotated[
        int | None, typer.Option("--version", metavar="N", min=1, help="A version, not the newest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the prices."""
    found = connect_to_project(context, project).prices.get(version=version)
    if as_json:
        screen.emit_json(found)
        return
    screen.emit("\n".join(_heading(found)))
    tables.emit_table(
        ["MODEL", "PROVIDER", "PER MILLION IN", "PER MILLION OUT", "PER REQUEST"],
        [
            [
                price.model,
                price.provider,
                *map(
                    _dollars, (price.per_million_tokens_in, price.per_million_tokens_out, price.per_request)
                ),
            ]
            for price in found.prices
        ],
    )


@app.command("list")
def list_versions(context: typer.Context, project: Project = None, as_json: AsJson = False) -> None:
    """List the versions of the prices, newest first."""
    found = connect_to_project(context, project).prices.versions(limit=200)
    if as_json:
        screen.emit_json({"versions": found})
        return
    tables.emit_table(
        ["VERSION", "PRICES", "CREATED", "BY", "NOTE"],
        [[one.version, len(one.prices), one.created_at, one.created_by, one.note] for one in found],
    )


def _heading(table: PriceTable) -> list[str]:
    line = f"version {table.version} of {screen.cell(table.created_at)}, in US dollars"
    return [f"{line}: {table.note}" if table.note else line]


def _dollars(amount: float | None) -> str | None:
    return None if amount is None else f"{amount:.15g}"


def _read(file: str) -> list[Price]:
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as exc:
        raise InvalidInputError(f"{file} cannot be read: {exc.strerror}.") from exc
    try:
        given = msgspec.json.decode(text, type=list[Price] | _Given)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise InvalidInputError(f"{file} holds no list of prices: {exc}.") from exc
    return given.prices if isinstance(given, _Given) else given
