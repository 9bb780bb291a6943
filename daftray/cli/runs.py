"""``daftray runs``: what happens to runs, and what is kept of them."""

from __future__ import annotations

from typing import Annotated

import typer

from daftray.cli import run_log, run_records, screen, tables
from daftray.cli.follow import follow_to_end
from daftray.cli.options import AsJson, Follow, Project, RunId
from daftray.cli.session import connect_to_project
from daftray.cli.summary import ending_line
from daftray.cli.variables import read_labels
from daftray.domain.run import Run
from daftray.domain.status import RunStatus

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Runs, and what is kept of them.")

_LIST_EPILOG = """\b
Examples:
  daftray runs list --status failed --limit 20
  daftray runs list --label team=search --all --json | jq -r '.runs[].id'
"""


@app.command("list", epilog=_LIST_EPILOG)
def list_runs(
    context: typer.Context,
    *,
    project: Project = None,
    status: Annotated[RunStatus | None, typer.Option("--status", help="Only runs of that status.")] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="NAME=VALUE", help="Only runs with it. Repeatable.")
    ] = None,
    q: Annotated[
        str | None, typer.Option("--q", metavar="TEXT", help="Only runs that hold this text.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="At most so many.")] = 20,
    all_of_them: Annotated[bool, typer.Option("--all", help="All of them, page after page.")] = False,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    client = connect_to_project(context, project)
    labels = read_labels(label or [])
    if all_of_them:
        found = list(client.runs.iterate(status=status, labels=labels, q=q, page_size=200))
        cursor = None
    else:
        page = client.runs.list(status=status, labels=labels, q=q, limit=limit)
        found, cursor = page.runs, page.next_cursor
    if as_json:
        screen.emit_json({"runs": found, "next_cursor": cursor})
        return
    tables.emit_table(
        ["RUN", "STATUS", "ENTRYPOINT", "CREATED", "SECONDS", "NAME", "COMMIT", "TOKENS"],
        [_row(run) for run in found],
    )
    if cursor is not None:
        screen.say(f"There may be more than these {len(found)}: --limit or --all shows them.")


@app.command("get")
def get(context: typer.Context, run: RunId, project: Project = None, as_json: AsJson = False) -> None:
    """Show a run: state, reason, code, timings, usage."""
    client = connect_to_project(context, project)
    found = client.runs.get(run)
    if as_json:
        screen.emit_json(found)
        return
    tables.emit_facts(_facts(found))


@app.command("follow")
def follow(context: typer.Context, run: RunId, project: Project = None, as_json: AsJson = False) -> None:
    """Follow a run to its end, as `daftray run` does; the exit code tells how it ended."""
    client = connect_to_project(context, project)
    raise typer.Exit(follow_to_end(client, client.runs.get(run).id, as_json=as_json))


@app.command("cancel")
def cancel(
    context: typer.Context,
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="The runs' ids.", show_default=False)],
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Cancel runs. One that has ended stays as it is."""
    client = connect_to_project(context, project)
    for run in runs:
        asked = client.runs.cancel(run)
        if as_json:
            screen.emit_json(asked)
        else:
            screen.say(ending_line(asked) if asked.status.terminal else f"run {asked.id} is being cancelled")


@app.command("rerun")
def rerun(
    context: typer.Context,
    run: RunId,
    project: Project = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="A name for the new run.")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="NAME=VALUE", help="Labels in place of the run's. Repeatable."),
    ] = None,
    follow_it: Follow = True,
    as_json: AsJson = False,
) -> None:
    """Run the same commit again, with the same arguments, environment and secrets."""
    client = connect_to_project(context, project)
    made = client.runs.rerun(run, name=name, labels=read_labels(label) if label else None)
    screen.say(f"run {made.id} again of {run}")
    if follow_it:
        raise typer.Exit(follow_to_end(client, made.id, as_json=as_json))
    if as_json:
        screen.emit_json(made)
    else:
        screen.emit(made.id)


def _row(run: Run) -> list[object]:
    seconds = (
        (run.completed_at - run.started_at).total_seconds() if run.started_at and run.completed_at else None
    )
    usage = run.usage
    tokens = [part for part in (usage.tokens_in, usage.tokens_out) if part is not None] if usage else []
    return [
        run.id,
        run.status.value,
        run.entrypoint.label,
        run.created_at,
        seconds,
        run.name,
        run.commit[:10] if run.commit else None,
        sum(tokens) if tokens else None,
    ]


def _facts(run: Run) -> list[tuple[str, object]]:
    git = run.source.git
    usage = run.usage
    return [
        ("run", run.id),
        ("name", run.name),
        ("status", run.status.value),
        ("phase", None if run.status.terminal else run.phase.value),
        ("waiting for", run.waiting_for),
        ("reason", run.reason.value if run.reason else None),
        ("detail", run.reason_detail),
        ("exit code", run.exit_code),
        ("entrypoint", run.entrypoint.label),
        ("commit", run.commit or (git.hash if git else None)),
        ("ref", git.ref if git else None),
        ("patch", "yes" if git and git.patch else None),
        ("labels", " ".join(f"{name}={value}" for name, value in run.labels.items())),
        ("rerun of", run.rerun_of),
        ("attempt", run.attempt if run.attempt > 1 else None),
        ("created", run.created_at),
        ("started", run.started_at),
        ("completed", run.completed_at),
        ("phases", ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in run.timings.items())),
        ("cluster", run.cluster),
        ("ray job", run.ray.submission_id if run.ray else None),
        ("ray page", run.ray.dashboard_url if run.ray else None),
        ("requests", usage.requests if usage else None),
        ("tokens in", usage.tokens_in if usage else None),
        ("tokens out", usage.tokens_out if usage else None),
        ("CPU seconds", usage.cpu_seconds if usage else None),
        ("warnings", "; ".join(run.warnings)),
    ]


run_log.add_to(app)
run_records.add_to(app)
