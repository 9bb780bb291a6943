"""Who asks."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum

import msgspec


class Role(IntEnum):
    """What a principal may do; each includes those before it."""

    VIEWER = 1
    RUNNER = 2
    ADMIN = 3


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """A caller whose credentials were checked. ``project`` narrows it to one project."""

    id: str
    workspace: str
    role: Role
    project: str | None = None


class RunPrincipal(msgspec.Struct, frozen=True, kw_only=True):
    """A run that reports with its own token."""

    run: str
    attempt: int


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as it is kept: the SHA-256 of its secret part."""

    id: str
    name: str
    workspace: str
    role: Role
    digest: str
    created_at: datetime
