"""``daftray runs result | metrics | events``: what is kept of a run beside its log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from daftray.cli import screen, tables
from daftray.cli.options import AsJson, Project, RunId
from daftray.cli.session import connect_to_project
from daftray.cli.summary import result_lines
from daftray.domain.errors import InvalidInputError, ResultNotFoundError
from daftray.domain.metrics import CustomCounter, RunMetrics, UsageLine

_RESULT_EPILOG = """\b
Examples:
  daftray runs result RUN                      a preview
  daftray runs result RUN --json | jq .
  daftray runs result RUN --out scores.parquet the whole table, as Parquet
"""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the group of runs."""
    app.command("result", epilog=_RESULT_EPILOG)(result)
    app.command("metrics")(metrics)
    app.command("events")(events)


def result(
    context: typer.Context,
    run: RunId,
    project: Project = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the whole result to a file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a run returned."""
    client = connect_to_project(context, project)
    if as_json and out is None:
        screen.emit_json(client.runs.result(run))
        return
    preview = client.runs.result_preview(run)
    if out is None:
        screen.emit("\n".join(result_lines(preview)))
        return
    if preview.kind == "omitted":
        raise ResultNotFoundError(f"There is nothing to write: {preview.note or 'the result was not kept.'}")
    try:
        with out.open("wb") as file:
            if preview.data:
                for piece in client.runs.download_result(run):
                    file.write(piece)
            else:
                file.write(msgspec.json.encode(client.runs.result(run)))
    except OSError as exc:
        raise InvalidInputError(f"{out} cannot be written: {exc.strerror}.") from exc
    screen.say(f"{preview.kind} result of run {run} is in {out}.")


def metrics(
    context: typer.Context,
    run: RunId,
    project: Project = None,
    price_version: Annotated[
        int | None,
        typer.Option(
            "--price-version", metavar="N", min=1, help="By this version of the prices, not the run's own."
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show the totals whenever they change, to the run's end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a run has used: requests, tokens, CPU seconds, what they cost, and what its code counts."""
    client = connect_to_project(context, project)
    if follow:
        if price_version is not None:
            raise InvalidInputError(
                "A run is followed by the prices of its own time: leave --price-version out."
            )
        for change in client.runs.follow_metrics(run):
            line = "  ".join(f"{name} {value}" for name, value in _totals(change))
            screen.emit(msgspec.json.encode(change).decode() if as_json else line)
        return
    found = client.runs.metrics(run, price_version=price_version)
    if as_json:
        screen.emit_json(found)
        return
    tables.emit_facts(_totals(found))
    used = ["REQUESTS", "TOKENS IN", "TOKENS OUT"]
    if found.by_model:
        rows = [[*_usage_row(line), screen.dollars(line.cost)] for line in found.by_model]
        screen.emit("")
        tables.emit_table(["MODEL", *used, "COST"], rows)
    if found.by_udf:
        screen.emit("")
        tables.emit_table(["UDF", *used], [_usage_row(line) for line in found.by_udf])
    for title, counters in (("COUNTER", found.custom), ("COUNTER OF OTHERS", found.other)):
        if counters:
            screen.emit("")
            tables.emit_table([title, "ATTRIBUTES", "VALUE"], [_counter_row(one) for one in counters])


def events(context: typer.Context, run: RunId, project: Project = None, as_json: AsJson = False) -> None:
    """Show a run's history: every change, with its time and reason."""
    found = connect_to_project(context, project).runs.events(run)
    if as_json:
        screen.emit_json({"events": found})
        return
    tables.emit_table(
        ["AT", "ATTEMPT", "PHASE", "FROM", "TO", "REASON", "DETAIL"],
        [
            [
                event.at,
                event.attempt,
                event.phase.value,
                event.from_.value,
                event.to.value,
                event.reason.value if event.reason else None,
                event.detail,
            ]
            for event in found
        ],
    )


def _totals(found: RunMetrics) -> list[tuple[str, object]]:
    cpu = found.cpu_seconds
    measured = (
        f"{screen.number(cpu.allocated)} ({cpu.source or 'unknown'}{', partial' if cpu.partial else ''})"
    )
    return [
        ("requests", screen.number(found.requests)),
        ("tokens in", screen.number(found.tokens_in)),
        ("tokens out", screen.number(found.tokens_out)),
        ("CPU seconds", measured if cpu.allocated is not None else screen.NOTHING),
        ("CPU used", screen.number(cpu.used)),
        ("CPU reserved", screen.number(cpu.reserved)),
        ("cost", _cost(found)),
    ]


def _cost(found: RunMetrics) -> str:
    """Return the cost, or what of it is known and what is missing."""
    by = f" (prices version {found.price_version})" if found.price_version else ""
    if found.cost is not None:
        return screen.dollars(found.cost) + by
    if not found.cost_missing:
        return screen.NOTHING
    missing = [f"{one.model}: {one.why}" if one.model else one.why for one in found.cost_missing]
    at_least = "" if found.cost_at_least is None else f"at least {screen.dollars(found.cost_at_least)}{by}, "
    return f"{at_least}not known in all: {', '.join(missing)}"


def _counter_row(counter: CustomCounter) -> list[object]:
    attributes = " ".join(f"{key}={value}" for key, value in counter.attributes.items())
    return [counter.name, attributes, counter.value]


def _usage_row(line: UsageLine) -> list[object]:
    name = f"{line.name} ({line.provider})" if line.provider else line.name
    return [name, line.requests, line.tokens_in, line.tokens_out]
