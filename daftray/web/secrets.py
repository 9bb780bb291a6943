"""A project's secrets in a browser: names and dates; values go in and never come out."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, admin, viewer
from daftray.api.authentication import CSRF_IN_FORM
from daftray.api.secrets import SecretName
from daftray.domain.audit import AuditQuery
from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.principal import Role
from daftray.domain.project import Project, Secret
from daftray.domain.spec import VariableName
from daftray.identity.access import Place
from daftray.identity.audit import AuditLog
from daftray.projects.secrets import ProjectSecrets
from daftray.web.forms import SMALL, checked_form
from daftray.web.pages import Pages
from daftray.web.places import NAMED, PROJECT, project_page
from daftray.web.redirects import see_other
from daftray.web.refusals import Refusal, refusal_of

_LARGEST = 1024 * 1024
"""Bytes of the form: the longest value, each of its characters escaped."""
_LOOKED_THROUGH = 200
"""Entries of the audit log in which the page looks for who set a secret."""
_SET = "secret.set"


class SecretsShown(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. ``setters`` are who set each secret last, as far as that is known and told."""

    address: str
    found: list[Secret]
    setters: dict[str, str]
    may_change: bool


async def provide_shown(
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    project_secrets: NamedDependency[SkipValidation[ProjectSecrets]],
    audit_log: NamedDependency[SkipValidation[AuditLog]],
) -> SecretsShown:
    """Return the project's secrets. Who set them is in the audit log, which is for admins alone."""
    may_change = place.role is not None and place.role >= Role.ADMIN
    setters: dict[str, str] = {}
    if may_change:
        query = AuditQuery(project=home.id, action=_SET, limit=_LOOKED_THROUGH)
        for entry in await audit_log.list(query):
            setters.setdefault(entry.target or "", entry.actor_name)
    return SecretsShown(
        address=f"{project_page(place)}/secrets",
        found=await project_secrets.list(home.id),
        setters=setters,
        may_change=may_change,
    )


@get("/", guards=[viewer], include_in_schema=False)
async def list_secrets(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[SecretsShown]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show names and dates, and to admins the form that sets one."""
    return _page(request, pages, shown, name=request.query_params.get("name", "")[:200])


@post(
    "/",
    guards=[admin],
    opt={CSRF_IN_FORM: True, AUDIT: _SET},
    include_in_schema=False,
    request_max_body_size=_LARGEST,
    status_code=HTTPStatus.SEE_OTHER,
)
async def set_secret(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[SecretsShown]],
    home: NamedDependency[SkipValidation[Project]],
    project_secrets: NamedDependency[SkipValidation[ProjectSecrets]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[Any]:
    """Keep a secret and show the list, or the form again without the value (``Any``: either)."""
    form = await checked_form(request)
    name = form.get("name").strip()
    value = form.get("value").replace("\r\n", "\n")  # a form's line ends; those of a key in PEM are these
    try:
        await project_secrets.set(home.id, _checked(name), value)
    except InvalidInputError as error:
        return _page(request, pages, shown, name=name, refused=_at_its_field(error))
    note(request, target=name)
    return see_other(shown.address)


@post(
    "/{name:str}/delete",
    guards=[admin],
    opt={CSRF_IN_FORM: True, AUDIT: "secret.delete"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def delete_secret(
    request: AnyRequest,
    name: SecretName,
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    project_secrets: NamedDependency[SkipValidation[ProjectSecrets]],
) -> Response[Any]:
    """Remove a secret and show the list (``Any``: a redirection has no body)."""
    await checked_form(request)
    await project_secrets.delete(home.id, name)
    return see_other(f"{project_page(place)}/secrets")


def _checked(name: str) -> str:
    try:
        return msgspec.convert(name, VariableName)
    except msgspec.ValidationError as exc:
        issue = InputIssue(
            path="name", message="give a variable's name: letters, digits and _, no digit first, at most 200"
        )
        raise InvalidInputError("A secret cannot be kept as it is.", issues=(issue,)) from exc


def _at_its_field(error: InvalidInputError) -> Refusal:
    """Return what is wrong with the value as an issue of the form's field, whose name says no secret's."""
    refused = refusal_of(error)
    moved = [
        msgspec.structs.replace(issue, path="value") if issue.path.startswith("secrets.") else issue
        for issue in refused.issues
    ]
    return msgspec.structs.replace(refused, issues=tuple(moved))


def _page(
    request: AnyRequest, pages: Pages, shown: SecretsShown, *, name: str, refused: Refusal | None = None
) -> Response[str]:
    status = refused.status if refused else HTTPStatus.OK
    return pages.page(
        request,
        "secrets.html",
        status=status,
        heading="Secrets",
        shown=shown,
        name=name,
        refused=refused,
    )


router = Router(
    PROJECT + "/secrets",
    route_handlers=[list_secrets, set_secret, delete_secret],
    dependencies={**NAMED, "shown": Provide(provide_shown)},
)
