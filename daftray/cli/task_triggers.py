"""What starts a task by itself: ``daftray tasks add-trigger`` and ``remove-trigger``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from daftray.cli import screen
from daftray.cli.options import AsJson, Project
from daftray.cli.session import connect_to_project
from daftray.domain.errors import InvalidInputError
from daftray.domain.trigger import CronTrigger, EndpointTrigger, EventTrigger, Outlook, Trigger

TaskName = Annotated[str, typer.Argument(metavar="TASK", help="The task's name or id.", show_default=False)]
_ADD_EPILOG = """\b
Examples:
  daftray tasks add-trigger nightly --cron "30 2 * * *" --timezone Europe/Berlin
  daftray tasks add-trigger nightly --cron "0 */6 * * 1-5"
  daftray tasks add-trigger nightly --endpoint

A schedule has five fields: minute, hour, day of the month, month, day of the week.
"""


def add_to(app: typer.Typer) -> None:
    """Put the commands beside the others of their group."""
    app.command("add-trigger", epilog=_ADD_EPILOG)(add_trigger)
    app.command("remove-trigger")(remove_trigger)


def add_trigger(
    context: typer.Context,
    task: TaskName,
    *,
    cron: Annotated[
        str | None, typer.Option("--cron", metavar="SCHEDULE", help="A schedule of five fields.")
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone", metavar="ZONE", help="The schedule's, such as Europe/Berlin; UTC unless named."
        ),
    ] = None,
    event: Annotated[bool, typer.Option("--event", help="Something that happens elsewhere.")] = False,
    endpoint: Annotated[bool, typer.Option("--endpoint", help="A call over HTTP.")] = False,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Let something start a task by itself, beside what does so already."""
    added = _trigger(cron, timezone, event=event, endpoint=endpoint)
    tasks = connect_to_project(context, project).tasks
    kept = tasks.set_triggers(task, [*tasks.triggers(task).triggers, added])
    if as_json:
        screen.emit_json(kept)
        return
    emit_triggers(kept.triggers, kept.outlook)


def remove_trigger(
    context: typer.Context,
    task: TaskName,
    number: Annotated[
        int,
        typer.Argument(metavar="NUMBER", min=1, help="Which, as `show` numbers them.", show_default=False),
    ],
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Take a trigger from a task."""
    tasks = connect_to_project(context, project).tasks
    triggers = list(tasks.triggers(task).triggers)
    if number > len(triggers):
        raise InvalidInputError(f"Task {task} has {len(triggers)} triggers, and no number {number}.")
    removed = triggers.pop(number - 1)
    kept = tasks.set_triggers(task, triggers)
    if as_json:
        screen.emit_json(kept)
        return
    screen.say(f"Trigger {number} of task {task} is removed: {written(removed)}.")


def emit_triggers(triggers: Sequence[Trigger], outlook: Sequence[Outlook]) -> None:
    """Print triggers by number, what comes of each, and the next times of schedules in their own zone."""
    for number, (trigger, coming) in enumerate(zip(triggers, outlook, strict=True), 1):
        screen.emit(f"{number}. {written(trigger)}: {coming.detail}")
        for time in coming.next:
            screen.emit(f"   {time.isoformat(sep=' ', timespec='minutes')}")


def written(trigger: Trigger) -> str:
    """Return a trigger as one line."""
    if trigger.cron:
        return f"cron {trigger.cron.schedule} ({trigger.cron.timezone})"
    return "event" if trigger.event else "endpoint"


def _trigger(cron: str | None, timezone: str | None, *, event: bool, endpoint: bool) -> Trigger:
    if [cron is not None, event, endpoint].count(True) != 1:
        raise InvalidInputError("Give exactly one of --cron, --event and --endpoint.")
    if cron is None:
        if timezone is not None:
            raise InvalidInputError("--timezone is a schedule's: give it beside --cron.")
        return Trigger(event=EventTrigger()) if event else Trigger(endpoint=EndpointTrigger())
    schedule = CronTrigger(schedule=cron)
    return Trigger(cron=CronTrigger(schedule=cron, timezone=timezone) if timezone else schedule)
