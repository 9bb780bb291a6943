"""What starts a task by itself: externally tagged, as Daft Cloud's client sends it, one key and no other."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from daftray.domain.errors import InputIssue

MANUAL = "manual"
"""What a run says of itself that a person or a program asked for."""
CHECK = "check"
"""What a run says that only opens a data source or a catalog."""
Schedule = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
ZoneName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
UTC_NAME = "UTC"


class CronTrigger(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A schedule of five fields, in a time zone of the IANA database (``Europe/Berlin``); UTC by default."""

    schedule: Schedule
    timezone: ZoneName = UTC_NAME


class EventTrigger(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happens elsewhere. It has no fields yet."""


class EndpointTrigger(msgspec.Struct, frozen=True, kw_only=True):
    """A call over HTTP. It has no fields yet."""


class Trigger(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Exactly one of a schedule, an event or an endpoint."""

    cron: CronTrigger | None = None
    event: EventTrigger | None = None
    endpoint: EndpointTrigger | None = None

    def issues(self, path: str) -> list[InputIssue]:
        """Return what is wrong with its form, at its path in the request."""
        given = [part for part in (self.cron, self.event, self.endpoint) if part is not None]
        if len(given) == 1:
            return []
        return [InputIssue(path=path, message="give exactly one of cron, event and endpoint")]


STARTERS = (MANUAL, CHECK, *Trigger.__struct_fields__)
"""Everything that `Run.trigger` can be: what people ask for, checks, and the kinds of triggers of tasks."""


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What comes of a trigger: whether it starts runs, and when next, in its own time zone's offset."""

    fires: bool
    detail: str
    next: tuple[datetime, ...] = ()
