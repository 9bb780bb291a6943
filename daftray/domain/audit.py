"""The audit log: every change, with who made it, when, and from where. It holds no secret values."""

from __future__ import annotations

from datetime import datetime

import msgspec


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One change.

    ``action`` is a code such as ``run.create``; ``target`` names what was changed (an id, or a name where
    that is how it is called); ``actor`` is the id of a key or person, ``actor_name`` what it was called
    then; ``remote`` is the address that the request came from.
    """

    id: str
    at: datetime
    workspace: str | None = None
    project: str | None = None
    actor: str
    actor_name: str
    action: str
    target: str | None = None
    remote: str | None = None


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are meant; what is none is no condition. ``before`` is the id that a page ended with.

    ``actor_name`` is all of what somebody was called, ``target`` a part of what was changed, whatever its
    case. ``since`` is within the time that is meant, ``until`` is not.
    """

    workspace: str | None = None
    project: str | None = None
    actor: str | None = None
    actor_name: str | None = None
    action: str | None = None
    target: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None
    limit: int = 50
