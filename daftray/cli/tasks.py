"""``daftray tasks``: runs that were saved, to be started again."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from daftray.cli import run_facts, screen, tables, task_start, task_triggers
from daftray.cli.options import AsJson, Project, RunId
from daftray.cli.session import connect_to_project
from daftray.cli.task_triggers import TaskName
from daftray.domain.task import TaskView

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Tasks: runs that were saved, to be started again."
)

_SAVE_EPILOG = """\b
Examples:
  daftray tasks save RUN --name nightly
  daftray tasks add-trigger nightly --cron "30 2 * * *" --timezone Europe/Berlin

A branch stays a branch: each run of the task is of its newest commit then. The secrets that the
run was given for itself are the task's from then on.
"""


@app.command("save", epilog=_SAVE_EPILOG)
def save(
    context: typer.Context,
    run: RunId,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="The task's name.", show_default=False)],
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Keep what a run was asked to be, as a task."""
    client = connect_to_project(context, project)
    made = client.tasks.save(run, name)
    if as_json:
        screen.emit_json(made)
        return
    screen.say(f"Task {made.name} of project {client.project} is kept.")


@app.command("list")
def list_tasks(context: typer.Context, project: Project = None, as_json: AsJson = False) -> None:
    """List the project's tasks, by name."""
    found = connect_to_project(context, project).tasks.list()
    if as_json:
        screen.emit_json({"tasks": found})
        return
    tables.emit_table(
        ["NAME", "ENTRYPOINT", "TRIGGERS", "NEXT", "UPDATED", "ID"],
        [
            [
                one.name,
                one.entrypoint.label,
                ", ".join(task_triggers.written(trigger) for trigger in one.triggers) or None,
                min((time for outlook in one.outlook for time in outlook.next), default=None),
                one.updated_at,
                one.id,
            ]
            for one in found
        ],
    )


@app.command("show")
def show(context: typer.Context, task: TaskName, project: Project = None, as_json: AsJson = False) -> None:
    """Show a task, its triggers, and the next five times of each schedule."""
    found = connect_to_project(context, project).tasks.get(task)
    if as_json:
        screen.emit_json(found)
        return
    tables.emit_facts(_facts(found))
    if found.triggers:
        screen.emit("")
        task_triggers.emit_triggers(found.triggers, found.outlook)


@app.command("runs")
def runs(
    context: typer.Context,
    task: TaskName,
    project: Project = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List a task's runs, newest first."""
    page = connect_to_project(context, project).tasks.runs(task, limit=limit)
    if as_json:
        screen.emit_json({"runs": page.runs, "next_cursor": page.next_cursor})
        return
    tables.emit_table(run_facts.LIST_COLUMNS, [run_facts.list_row(run) for run in page])


@app.command("delete")
def delete(context: typer.Context, task: TaskName, project: Project = None) -> None:
    """Remove a task. Its runs stay."""
    client = connect_to_project(context, project)
    client.tasks.delete(task)
    screen.say(f"Task {task} of project {client.project} is removed.")


def _facts(task: TaskView) -> list[tuple[str, Any]]:
    git, environment = task.source.git, task.environment
    return [
        ("name", task.name),
        ("id", task.id),
        ("entrypoint", task.entrypoint.label),
        ("remote", (git.remote if git else None) or None),
        ("ref", git.ref if git else None),
        ("commit", (git.hash if git else None) or None),
        ("python", environment.python_version or None),
        ("dependencies", " ".join(environment.dependencies)),
        ("variables", " ".join(sorted(environment.environment_variables or {}))),
        ("secrets", " ".join(task.secret_names)),
        ("labels", " ".join(f"{name}={value}" for name, value in task.labels.items())),
        *run_facts.bounds(task),
        ("created", task.created_at),
        ("updated", task.updated_at),
    ]


task_triggers.add_to(app)
task_start.add_to(app)
