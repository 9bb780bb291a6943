"""People who use daftray."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from daftray.domain.principal import Role, RoleName

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


class PasswordChange(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a call that changes one's own password."""

    old: Annotated[str, msgspec.Meta(max_length=1024)]
    new: Password

    def __repr__(self) -> str:
        """Leave the passwords out: a repr ends up in logs."""
        return "PasswordChange()"


class UserInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to see of a person."""

    id: str
    name: str
    operator: bool
    has_password: bool
    subject: str | None
    created_at: datetime
    disabled_at: datetime | None


def info_of(user: User) -> UserInfo:
    """Return what there is to see of a person."""
    return UserInfo(
        id=user.id,
        name=user.name,
        operator=user.operator,
        has_password=user.password is not None,
        subject=user.subject,
        created_at=user.created_at,
        disabled_at=user.disabled_at,
    )


class RoleRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a call that gives a role."""

    role: RoleName


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A person with a role in a project (by id), or in the whole workspace where ``project`` is none."""

    user_id: str
    name: str
    project: str | None
    role: RoleName


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A person's role in a project (by id), or in the whole workspace where ``project`` is none."""

    user_id: str
    workspace: str
    project: str | None = None
    role: Role
