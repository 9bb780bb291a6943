"""Users over HTTP."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, operator, somebody
from daftray.api.projects import LimitParameter
from daftray.api.strict import refuse_unknown
from daftray.domain.principal import Principal
from daftray.domain.user import PasswordChange, UserInfo, UserPatch, UserRequest, info_of
from daftray.identity.users import Users

CursorParameter = Annotated[
    str | None, QueryParameter(max_length=200, description="The ``next_cursor`` of the page before.")
]


class UserPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of users, by name. Ask for the next one with ``cursor=next_cursor``."""

    users: list[UserInfo]
    next_cursor: str | None


@post("/", guards=[operator], opt={AUDIT: "user.create"}, summary="Create a user")
async def create_user(
    request: AnyRequest, data: JSONBody[UserRequest], users: NamedDependency[SkipValidation[Users]]
) -> UserInfo:
    """Make a user. One who is no operator may do nothing before being made a member somewhere."""
    refuse_unknown(await request.body(), data)
    made = await users.create(data)
    note(request, target=made.id)
    return info_of(made)


@get("/", guards=[operator], summary="List users")
async def list_users(
    users: NamedDependency[SkipValidation[Users]], cursor: CursorParameter = None, limit: LimitParameter = 50
) -> UserPage:
    """Return a page of the server's users."""
    found = await users.list(limit=limit, after=cursor or "")
    last = found[-1].name if len(found) == limit else None
    return UserPage(users=[info_of(user) for user in found], next_cursor=last)


@patch("/{user:str}", guards=[operator], opt={AUDIT: "user.update"}, summary="Change a user")
async def update_user(
    request: AnyRequest,
    user: FromPath[str],
    data: JSONBody[UserPatch],
    users: NamedDependency[SkipValidation[Users]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> UserInfo:
    """Rename, disable or enable a user, set a password, make an operator or none."""
    refuse_unknown(await request.body(), data)
    changed = await users.update(caller, await users.get(user), data)
    note(request, target=changed.id)
    return info_of(changed)


@delete("/{user:str}", guards=[operator], opt={AUDIT: "user.delete"}, summary="Delete a user")
async def delete_user(
    request: AnyRequest,
    user: FromPath[str],
    users: NamedDependency[SkipValidation[Users]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> None:
    """Remove a user with all roles. What they made stays, but their API keys open nothing any more."""
    found = await users.get(user)
    await users.delete(caller, found)
    note(request, target=found.id)


@post(
    "/me/password",
    guards=[somebody],
    opt={AUDIT: "user.change_password"},
    status_code=204,
    summary="Change one's own password",
)
async def change_password(
    request: AnyRequest,
    data: JSONBody[PasswordChange],
    users: NamedDependency[SkipValidation[Users]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> None:
    """Give the caller, a person who knows the old password, a new one."""
    refuse_unknown(await request.body(), data)
    changed = await users.change_password(caller, old=data.old, new=data.new)
    note(request, target=changed.id)


router = Router(
    "/v1/users",
    route_handlers=[create_user, list_users, update_user, delete_user, change_password],
    tags=["users"],
)
