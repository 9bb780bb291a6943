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
from daftray.domain.errors import InvalidInputError
from daftray.domain.metrics import RunMetrics, UsageLine

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


def metrics(context: typer.Context, run: RunId, project: Project = None, as_json: AsJson = False) -> None:
    """Show what a run has used: requests, tokens, CPU seconds, and what its code counts."""
    found = connect_to_project(context, project).runs.metrics(run)
    if as_json:
        screen.emit_json(found)
        return
    tables.emit_facts(_totals(found))
    for title, lines in (("MODEL", found.by_model), ("UDF", found.by_udf)):
        if lines:
            screen.emit("")
            tables.emit_table(
                [title, "REQUESTS", "TOKENS IN", "TOKENS OUT"], [_usage_row(line) for line in lines]
            )
    if found.custom:
        rows = [
            [
                counter.name,
                " ".join(f"{key}={value}" for key, value in counter.attributes.items()),
                counter.value,
            ]
            for counter in found.custom
        ]
        screen.emit("")
        tables.emit_table(["COUNTER", "ATTRIBUTES", "VALUE"], rows)


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
        ("cost", screen.number(found.cost, digits=4)),
    ]


def _usage_row(line: UsageLine) -> list[object]:
    name = f"{line.name} ({line.provider})" if line.provider else line.name
    return [name, line.requests, line.tokens_in, line.tokens_out]
