"""Who asks, and what they may do where."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum
from typing import Literal

import msgspec


class Role(IntEnum):
    """What a principal may do; each includes those before it."""

    VIEWER = 1
    RUNNER = 2
    ADMIN = 3

    @property
    def word(self) -> RoleName:
        """What it is called on the wire."""
        return _WORDS[self]

    @classmethod
    def of(cls, word: RoleName) -> Role:
        """Return the role that is called so."""
        return cls[word.upper()]


RoleName = Literal["viewer", "runner", "admin"]
_WORDS: dict[Role, RoleName] = {Role.VIEWER: "viewer", Role.RUNNER: "runner", Role.ADMIN: "admin"}


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A role in one project of a workspace, or in all of them where ``project`` is none."""

    workspace: str
    project: str | None = None
    role: Role


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """A caller whose credentials were checked: a person, or a program that holds an API key.

    Workspaces and projects are named by id. An operator runs the server: every workspace is theirs, and
    so is what belongs to none.
    """

    id: str
    kind: Literal["key", "person"]
    name: str
    grants: tuple[Grant, ...] = ()
    operator: bool = False

    def role_in(self, workspace: str, project: str | None = None) -> Role | None:
        """Return the highest role there; with no project, the one that holds for the whole workspace."""
        if self.operator:
            return Role.ADMIN
        return highest(
            grant.role
            for grant in self.grants
            if grant.workspace == workspace and grant.project in {None, project}
        )

    def sees(self, workspace: str) -> bool:
        """Whether the workspace, or some project of it, is theirs to look at."""
        return self.operator or any(grant.workspace == workspace for grant in self.grants)

    def administers_in(self, workspace: str) -> bool:
        """Whether the workspace, or some project of it, is theirs to change."""
        return self.operator or any(
            grant.workspace == workspace and grant.role is Role.ADMIN for grant in self.grants
        )

    def projects_in(self, workspace: str) -> frozenset[str] | None:
        """Return the projects that they may look at, or none where it is all of the workspace's."""
        if self.role_in(workspace) is not None:
            return None
        return frozenset(
            grant.project for grant in self.grants if grant.workspace == workspace and grant.project
        )

    def within(self, workspace: str) -> Principal:
        """Return the same caller with no door but that workspace's: what a token of one workspace is."""
        if self.operator:
            grants: tuple[Grant, ...] = (Grant(workspace=workspace, role=Role.ADMIN),)
        else:
            grants = tuple(grant for grant in self.grants if grant.workspace == workspace)
        return Principal(id=self.id, kind=self.kind, name=self.name, grants=grants)


def highest(roles: Iterable[Role]) -> Role | None:
    """Return the highest of some roles, or none where there are none."""
    return max(roles, default=None)


class RunPrincipal(msgspec.Struct, frozen=True, kw_only=True):
    """A run that reports with its own token."""

    run: str
    attempt: int


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as it is kept: the SHA-256 of its secret part. ``project`` narrows it to one project.

    One that has expired or was revoked opens nothing. ``last_used_at`` is exact to a minute or so.
    """

    id: str
    name: str
    workspace: str
    project: str | None = None
    role: Role
    operator: bool = False
    digest: str
    created_by: str | None = None
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def opens_at(self, now: datetime) -> bool:
        """Whether the key is good at that time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
