"""Members of workspaces and projects over HTTP."""

from __future__ import annotations

import msgspec
from litestar import Router, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, admin, place_of
from daftray.api.scope import PROJECT, WORKSPACE
from daftray.api.strict import refuse_unknown
from daftray.domain.principal import Principal
from daftray.domain.user import Member, RoleRequest
from daftray.identity.members import Members

_ALL = [WORKSPACE + "/members", PROJECT + "/members"]
_ONE = [path + "/{user:str}" for path in _ALL]


class MemberList(msgspec.Struct, frozen=True, kw_only=True):
    """Members, by name."""

    members: list[Member]


@get(_ALL, guards=[admin], summary="List members")
async def list_members(request: AnyRequest, members: NamedDependency[SkipValidation[Members]]) -> MemberList:
    """Return a project's members, or a workspace's with those of its projects."""
    return MemberList(members=await members.list(await place_of(request)))


@put(_ONE, guards=[admin], opt={AUDIT: "member.set"}, summary="Give a role")
async def set_member(
    request: AnyRequest,
    user: FromPath[str],
    data: JSONBody[RoleRequest],
    members: NamedDependency[SkipValidation[Members]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> Member:
    """Give a user, by id or name, a role in place of the one before."""
    refuse_unknown(await request.body(), data)
    member = await members.put(caller, await place_of(request), user, data.role)
    note(request, target=f"{member.user_id}:{member.role}")
    return member


@delete(_ONE, guards=[admin], opt={AUDIT: "member.remove"}, summary="Take a role")
async def remove_member(
    request: AnyRequest,
    user: FromPath[str],
    members: NamedDependency[SkipValidation[Members]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> None:
    """Take a user's role there. A role in the whole workspace and one in a project of it are two."""
    await members.remove(caller, await place_of(request), user)


router = Router("/", route_handlers=[list_members, set_member, remove_member], tags=["members"])
