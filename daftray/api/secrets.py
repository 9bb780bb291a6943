"""Secrets over HTTP: write-only."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, delete, get, put
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, PathParameter, SkipValidation

from daftray.api.audit import AUDIT
from daftray.api.auth import AnyRequest, admin, viewer
from daftray.api.scope import PROJECT, provide_project, provide_workspace
from daftray.api.strict import refuse_unknown
from daftray.domain.project import Project, Secret
from daftray.projects.secrets import ProjectSecrets

SecretName = Annotated[
    str,
    PathParameter(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,199}$", description="Also the variable's name in runs."),
]


class SecretValue(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a put call."""

    value: str

    def __repr__(self) -> str:
        """Leave the value out: a repr ends up in logs."""
        return "SecretValue()"


class SecretNames(msgspec.Struct, frozen=True, kw_only=True):
    """A project's secrets: names and dates."""

    secrets: list[Secret]


@put("/{name:str}", guards=[admin], opt={AUDIT: "secret.set"}, summary="Set a secret")
async def set_secret(
    request: AnyRequest,
    name: SecretName,
    data: JSONBody[SecretValue],
    home: NamedDependency[SkipValidation[Project]],
    project_secrets: NamedDependency[SkipValidation[ProjectSecrets]],
) -> Secret:
    """Keep a secret for the project's runs, in place of an older one."""
    refuse_unknown(await request.body(), data)
    return await project_secrets.set(home.id, name, data.value)


@get("/", guards=[viewer], summary="List secrets")
async def list_secrets(
    home: NamedDependency[SkipValidation[Project]],
    project_secrets: NamedDependency[SkipValidation[ProjectSecrets]],
) -> SecretNames:
    """Return names and dates."""
    return SecretNames(secrets=await project_secrets.list(home.id))


@delete("/{name:str}", guards=[admin], opt={AUDIT: "secret.delete"}, summary="Delete a secret")
async def delete_secret(
    name: SecretName,
    home: NamedDependency[SkipValidation[Project]],
    project_secrets: NamedDependency[SkipValidation[ProjectSecrets]],
) -> None:
    """Remove a secret."""
    await project_secrets.delete(home.id, name)


router = Router(
    PROJECT + "/secrets",
    route_handlers=[set_secret, list_secrets, delete_secret],
    dependencies={"workspace_id": Provide(provide_workspace), "home": Provide(provide_project)},
    tags=["secrets"],
)
