"""Schedules of cron triggers: whether one is valid, and when it is due. cronsim is at home here.

Times of the day are those of the trigger's zone, by the rules of Debian's cron: what falls into the hour that
spring leaves out is due once, right after it; what falls into the hour that autumn repeats is due once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from daftray.domain.errors import InputIssue
from daftray.domain.trigger import CronTrigger, Outlook, Trigger

SHOWN = 5
"""How many of a schedule's next times are told."""
NOT_YET = "Kept, but it does not start runs yet: start the task by hand."

_FIELDS = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or L for the last one"),
    ("month", "1 to 12, or JAN to DEC"),
    ("day of the week", "0 to 7 (0 and 7 are Sunday), or SUN to SAT"),
)
_FORMS = "*, a number, a range such as 1-5, a list such as 1,3 or steps such as */15"
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_NO_CRON = (CronSimError, ValueError, TypeError, AssertionError)
"""What cronsim makes of texts that are no schedule: its own error, and what its arithmetic stumbles over."""


def check(triggers: Sequence[Trigger]) -> list[InputIssue]:
    """Return everything that is wrong with triggers, each at its path in the request."""
    found: list[InputIssue] = []
    for number, trigger in enumerate(triggers):
        path = f"triggers[{number}]"
        found += trigger.issues(path)
        if trigger.cron is not None:
            found += _issues(trigger.cron, f"{path}.cron")
    return found


def outlook(trigger: Trigger, now: datetime) -> Outlook:
    """Return what comes of a valid trigger."""
    times = next_times(trigger.cron, now, SHOWN) if trigger.cron is not None else ()
    return Outlook(fires=False, detail=NOT_YET, next=times)


def next_times(trigger: CronTrigger, after: datetime, count: int) -> tuple[datetime, ...]:
    """Return the next times of a valid schedule, in its zone; those of the next fifty years at most."""
    return tuple(islice(CronSim(trigger.schedule, after.astimezone(_zone(trigger))), count))


def _zone(trigger: CronTrigger) -> ZoneInfo:
    return ZoneInfo(trigger.timezone)


def _issues(trigger: CronTrigger, path: str) -> list[InputIssue]:
    messages = [(f"{path}.schedule", message) for message in _schedule_issues(trigger.schedule)]
    try:
        _zone(trigger)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        advice = "there is no such time zone: give a name of the IANA database, such as Europe/Berlin"
        messages.append((f"{path}.timezone", advice))
    return [InputIssue(path=where, message=message) for where, message in messages]


def _schedule_issues(schedule: str) -> list[str]:
    if (macro := schedule.strip().lower()) in _MACROS:
        return [f"write {macro} as {_MACROS[macro]}"]
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return [
            f"give five fields (minute, hour, day of the month, month, day of the week), not {len(fields)}"
        ]
    wrong = [
        f"{fields[number]!r} is no {name}: give {_FORMS}, of {values}"
        for number, (name, values) in enumerate(_FIELDS)
        if not _is_cron(" ".join(field if at == number else "*" for at, field in enumerate(fields)))
    ]
    if wrong:
        return wrong
    return [] if _is_cron(schedule) else ["no date is ever like that: look at its day and month"]


def _is_cron(schedule: str) -> bool:
    try:
        next(CronSim(schedule, datetime(2024, 1, 1, tzinfo=UTC)))
    except (*_NO_CRON, StopIteration):
        return False
    return True
