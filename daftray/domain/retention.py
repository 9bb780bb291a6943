"""What is kept of runs that have ended, and what retention let go of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from daftray.domain.spec import GitSource, Source

Kind = Literal["logs", "results"]
"""What of a run goes before the run's own record does."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A log or a result of an attempt of a run that has ended.

    ``since`` is when the attempt ended, or its result came. ``size`` in bytes; a result's includes what of it
    is in the database.
    """

    run: str
    attempt: int
    size: int
    since: datetime


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a kind, at the database's time ``now``.

    ``total`` is all of it in bytes, with that of runs that go on. ``oldest`` is of runs that have ended
    alone, the oldest first, and may be cut short.
    """

    now: datetime
    total: int
    oldest: tuple[Kept, ...] = ()


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What went by one rule, or would go. ``size`` in bytes, where it is known."""

    what: str
    rule: str
    count: int
    size: int | None = None


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What one pass of retention did, or would do; ``more`` where it stopped before all was done."""

    dry_run: bool
    removed: list[Removed]
    more: bool = False
    notes: tuple[str, ...] = ()
    """What was left out, and why."""


class StoredMirror(msgspec.Struct, frozen=True, kw_only=True):
    """A Git mirror on the server's disk: its bytes, and when a run last drew on it."""

    name: str
    size: int
    since: datetime


class LiveSource(msgspec.Struct, frozen=True, kw_only=True):
    """What a run that goes on is made of: mirrors and packages of it stay."""

    project: str
    commit: str | None
    git: GitSource


class SubmittedAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt of a run, as what a Ray job was submitted for.

    ``over_for`` is how long ago it ended, and None while it is the current one of a run that goes on.
    """

    run: str
    attempt: int
    over_for: timedelta | None


KEPT_SOURCE = "blob:"
"""What stands before the digest of a bundle or patch that lies in the blob store."""


def kept_digest(brought: str | None) -> str | None:
    """Return the digest of a bundle or patch of a stored run, where it brought one along."""
    return brought.removeprefix(KEPT_SOURCE) if brought and brought.startswith(KEPT_SOURCE) else None


def kept_digests(source: Source) -> set[str]:
    """Return the digests of all that a run with that source brought along."""
    git = source.git or GitSource()
    return {digest for one in (git.bundle, git.patch) if (digest := kept_digest(one)) is not None}
