"""API keys over HTTP."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, somebody
from daftray.api.documented import PROBLEMS
from daftray.api.strict import refuse_unknown
from daftray.domain.api_key import KeyInfo, KeyRequest, NewKey, info_of
from daftray.domain.principal import Principal
from daftray.domain.project import DEFAULT_WORKSPACE
from daftray.identity.issued_keys import IssuedKeys

WorkspaceParameter = Annotated[
    str, QueryParameter(name="workspace", max_length=200, description="By id or name.")
]


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    """API keys, oldest first, without their texts."""

    api_keys: list[KeyInfo]


@post("/", guards=[somebody], opt={AUDIT: "key.create", PROBLEMS: (404,)}, summary="Create an API key")
async def create_key(
    request: AnyRequest,
    data: JSONBody[KeyRequest],
    issued_keys: NamedDependency[SkipValidation[IssuedKeys]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> NewKey:
    """Make a key of a workspace or of one project, where the caller is admin. Its text is shown once."""
    refuse_unknown(await request.body(), data)
    place, text = await issued_keys.create(caller, data)
    key_id = text.split(".")[1]
    project = place.project.id if place.project else None
    note(request, target=f"{key_id}:{data.role}", workspace=place.workspace.id, project=project)
    return NewKey(id=key_id, key=text)


@get("/", guards=[somebody], opt={PROBLEMS: (404,)}, summary="List API keys")
async def list_keys(
    issued_keys: NamedDependency[SkipValidation[IssuedKeys]],
    caller: NamedDependency[SkipValidation[Principal]],
    workspace: WorkspaceParameter = DEFAULT_WORKSPACE,
) -> KeyList:
    """Return those of a workspace's keys that the caller may revoke, whether they open anything or not."""
    found = await issued_keys.list(caller, workspace)
    return KeyList(api_keys=[info_of(key) for key in found])


@delete("/{key:str}", guards=[somebody], opt={AUDIT: "key.revoke"}, summary="Revoke an API key")
async def revoke_key(
    request: AnyRequest,
    key: FromPath[str],
    issued_keys: NamedDependency[SkipValidation[IssuedKeys]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> None:
    """Close a key for good. It stays in the list, and in what it did."""
    revoked = await issued_keys.revoke(caller, key)
    note(request, target=revoked.id, workspace=revoked.workspace, project=revoked.project)


router = Router("/v1/api-keys", route_handlers=[create_key, list_keys, revoke_key], tags=["api-keys"])
