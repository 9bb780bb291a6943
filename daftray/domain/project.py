"""A project: a Git remote, its default branch, and everything that runs of it draw on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.spec import Name, NonEmpty

DEFAULT_WORKSPACE = "default"
Places = Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class GitRemote(msgspec.Struct, frozen=True, kw_only=True):
    """A Git remote: https, ssh, or a path on the server's disk where its operator allows that.

    ``credential`` names the project secret (a token, or a private key in PEM form) that opens a private one.
    """

    remote: NonEmpty
    branch: NonEmpty = "main"
    credential: str | None = None


class ProjectSource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Externally tagged, as Daft Cloud's client sends it: ``github``, or ``git`` for any other host."""

    github: GitRemote | None = None
    git: GitRemote | None = None

    @property
    def remote(self) -> GitRemote:
        """The remote, whichever tag it came under."""
        found = self.github or self.git
        if found is None:
            raise InvalidInputError(
                "The project has no source.",
                issues=(InputIssue(path="source", message="give exactly one of git and github"),),
            )
        return found


class ProjectRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a create call."""

    name: Name
    source: ProjectSource
    max_running: Places | None = None


class ProjectPatch(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an update call: what is not given stays; ``max_running`` may be set to null."""

    name: Name | None = None
    source: ProjectSource | None = None
    max_running: Places | msgspec.UnsetType | None = msgspec.UNSET


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project of a workspace. ``max_running`` bounds how many of its runs are on a cluster at a time."""

    id: str
    workspace: str
    name: str
    source: ProjectSource
    max_running: int | None = None
    created_at: datetime


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """What ever comes back of a secret: its name and dates, never its value."""

    name: str
    created_at: datetime
    updated_at: datetime


class SealedSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret as it is kept: ciphertext under a named key.

    ``owner`` is the id of the project, or of the run, that the secret belongs to.
    """

    owner: str
    name: str
    key_id: str
    ciphertext: bytes
    created_at: datetime
    updated_at: datetime
