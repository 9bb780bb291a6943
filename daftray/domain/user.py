"""People who use daftray."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from daftray.domain.principal import Role

UserName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,199}$")]
"""What somebody signs in with: a name or an e-mail address, in lower case however it is typed."""

Password = Annotated[str, msgspec.Meta(min_length=12, max_length=1024)]
"""Long rather than of many kinds of characters (NIST SP 800-63B); the upper bound is against mischief."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person. ``password`` is a hash (argon2id, RFC 9106); ``subject`` is ``<issuer>|<sub>`` of OpenID.

    Somebody without a password signs in by OpenID alone; somebody who is disabled does not at all.
    """

    id: str
    name: str
    password: str | None = None
    subject: str | None = None
    operator: bool = False
    created_at: datetime
    disabled_at: datetime | None = None

    def __repr__(self) -> str:
        """Leave the hash out: a repr ends up in logs."""
        return f"User(id={self.id!r}, name={self.name!r})"


class UserRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a create call. Without a password somebody signs in by OpenID alone."""

    name: UserName
    password: Password | None = None
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)] | None = None
    operator: bool = False

    def __repr__(self) -> str:
        """Leave the password out: a repr ends up in logs."""
        return f"UserRequest(name={self.name!r})"


class UserPatch(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a change call: what is not named stays as it is."""

    name: UserName | None = None
    password: Password | None = None
    operator: bool | None = None
    disabled: bool | None = None

    def __repr__(self) -> str:
        """Leave the password out: a repr ends up in logs."""
        return f"UserPatch(name={self.name!r})"


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A person's role in a project (by id), or in the whole workspace where ``project`` is none."""

    user_id: str
    workspace: str
    project: str | None = None
    role: Role
