"""``daftray runs``: what happens to runs, and what is kept of them."""

from __future__ import annotations

from typing import Annotated

import typer

from daftray.cli import limits, run_batch, run_facts, run_log, run_problems, run_records, screen, tables
from daftray.cli.follow import follow_to_end, go_on_with
from daftray.cli.options import AsJson, Follow, Project, RunId
from daftray.cli.session import connect_to_project
from daftray.cli.summary import ending_line
from daftray.cli.variables import read_labels
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
    tables.emit_table(run_facts.LIST_COLUMNS, [run_facts.list_row(run) for run in found])
    if cursor is not None:
        screen.say(f"There may be more than these {len(found)}: --limit or --all shows them.")


@app.command("get")
def get(context: typer.Context, run: RunId, project: Project = None, as_json: AsJson = False) -> None:
    """Show a run: state, what it waits for, reason, attempts, the end of a failed one's log, code, usage."""
    client = connect_to_project(context, project)
    found = client.runs.get(run)
    if as_json:
        screen.emit_json(found)
        return
    run_facts.emit_run(found)


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
def rerun(  # noqa: PLR0913 (each is an option of the command)
    context: typer.Context,
    run: RunId,
    *,
    project: Project = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="A name for the new run.")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="NAME=VALUE", help="Labels in place of the run's. Repeatable."),
    ] = None,
    retries: limits.RetryCount = None,
    retry_on: limits.RetryOn = None,
    retry_backoff: limits.RetryBackoff = None,
    timeout: limits.Timeout = None,
    start_timeout: limits.StartTimeout = None,
    queue_timeout: limits.QueueTimeout = None,
    priority: limits.Priority = None,
    budget: limits.BudgetText = None,
    idempotency_key: limits.IdempotencyKey = None,
    follow_it: Follow = True,
    as_json: AsJson = False,
) -> None:
    """Run the same commit again, with the same arguments, environment and secrets.

    What is given replaces what the run had; `--retries 0`, and `none` for a time or a budget, take it away.
    """
    changes = limits.read_limits(
        retries=retries,
        retry_on=retry_on,
        retry_backoff=retry_backoff,
        timeout=timeout,
        start_timeout=start_timeout,
        queue_timeout=queue_timeout,
        priority=priority,
        budget=budget,
    ).given()
    labels = read_labels(label) if label else None
    client = connect_to_project(context, project)
    made = client.runs.rerun(run, name=name, labels=labels, idempotency_key=idempotency_key, **changes)
    screen.say(f"run {made.id} again of {run}")
    go_on_with(client, made, follow=follow_it, as_json=as_json)


run_batch.add_to(app)
run_log.add_to(app)
run_problems.add_to(app)
run_records.add_to(app)
