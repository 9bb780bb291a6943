"""A workspace: a wall. What is in one cannot be seen from another."""

from __future__ import annotations

from datetime import datetime

import msgspec

from daftray.domain.spec import Name


class WorkspaceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a create call."""

    name: Name


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace. The first one's id is its name, ``default``."""

    id: str
    name: str
    created_at: datetime
