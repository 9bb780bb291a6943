"""The API keys that open a project: they are made, shown once, and revoked. No script is needed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, admin
from daftray.api.authentication import CSRF_IN_FORM
from daftray.domain.api_key import LONGEST_LIFE_S, KeyRequest
from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.ports import Clock
from daftray.domain.principal import ApiKey, Principal
from daftray.identity.access import Place
from daftray.identity.issued_keys import IssuedKeys
from daftray.identity.keys import PREFIX
from daftray.identity.names import Names
from daftray.web.forms import SMALL, Form, checked_form
from daftray.web.pages import Pages
from daftray.web.places import NAMED, PROJECT, project_page
from daftray.web.redirects import see_other
from daftray.web.scopes import ROLES, administers, chosen_place, chosen_role

_DAY_S = 24 * 3600
LONGEST_LIFE = LONGEST_LIFE_S // _DAY_S
"""Days."""
_LONGEST_NAME = 200
_AT_FIRST = Form([("role", "runner"), ("scope", "project"), ("days", "90")])


@get("/", guards=[admin], include_in_schema=False)
async def show_keys(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    caller: NamedDependency[SkipValidation[Principal]],
    issued_keys: NamedDependency[SkipValidation[IssuedKeys]],
    names: NamedDependency[SkipValidation[Names]],
    clock: NamedDependency[SkipValidation[Clock]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show the keys, oldest first, without their texts."""
    shown = await _shown(place, caller, issued_keys, names, clock)
    return pages.page(request, "api_keys.html", form=_AT_FIRST, wrong=None, **shown)


@post(
    "/",
    guards=[admin],
    opt={CSRF_IN_FORM: True, AUDIT: "key.create"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.OK,
)
async def create_key(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    caller: NamedDependency[SkipValidation[Principal]],
    issued_keys: NamedDependency[SkipValidation[IssuedKeys]],
    names: NamedDependency[SkipValidation[Names]],
    clock: NamedDependency[SkipValidation[Clock]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Make a key and show it, this once; or the form again with what is wrong.

    The key is in this answer alone: no address has it, and no cache keeps the answer.
    """
    form = await checked_form(request)
    try:
        asked = _request_of(form, chosen_place(form, place, caller))
    except InvalidInputError as error:
        shown = await _shown(place, caller, issued_keys, names, clock)
        return pages.page(
            request, "api_keys.html", status=HTTPStatus.BAD_REQUEST, form=form, wrong=error, **shown
        )
    there, text = await issued_keys.create(caller, asked)
    project = there.project.id if there.project else None
    note(request, target=f"{text.split('.')[1]}:{asked.role}", workspace=there.workspace.id, project=project)
    page = pages.page(request, "new_api_key.html", heading="API keys", key=text, asked=asked)
    page.headers["Cache-Control"] = "no-store"
    return page


@post(
    "/{key:str}/revoke",
    guards=[admin],
    opt={CSRF_IN_FORM: True, AUDIT: "key.revoke"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def revoke_key(
    request: AnyRequest,
    key: FromPath[str],
    place: NamedDependency[SkipValidation[Place]],
    caller: NamedDependency[SkipValidation[Principal]],
    issued_keys: NamedDependency[SkipValidation[IssuedKeys]],
) -> Response[Any]:
    """Close a key for good, and show the others (``Any``: a redirection has no body)."""
    await checked_form(request)
    revoked = await issued_keys.revoke(caller, key)
    note(request, target=revoked.id, workspace=revoked.workspace, project=revoked.project)
    return see_other(f"{project_page(place)}/api-keys")


async def _shown(
    place: Place, caller: Principal, issued_keys: IssuedKeys, names: Names, clock: Clock
) -> dict[str, Any]:
    """Return what the list needs (``Any``: templates take anything)."""
    home = place.project.id if place.project else None
    found = [key for key in await issued_keys.list(caller, place.workspace.id) if key.project in {None, home}]
    return {
        "heading": "API keys",
        "open_keys": [key for key in found if key.opens_at(clock.now())],
        "closed_keys": [key for key in found if not key.opens_at(clock.now())],
        "prefix": PREFIX,
        "who": await names.of(_makers(found)),
        "whole": administers(caller, place),
        "roles": ROLES,
        "longest": LONGEST_LIFE,
    }


def _makers(keys: list[ApiKey]) -> list[str]:
    return [key.created_by for key in keys if key.created_by]


def _request_of(form: Form, there: Place) -> KeyRequest:
    """Return the key that a form asks for. Raises `InvalidInputError`, with every issue of its fields."""
    name, days, issues = form.get("name").strip(), form.get("days").strip(), list[InputIssue]()
    if not 1 <= len(name) <= _LONGEST_NAME:
        issues.append(InputIssue(path="name", message=f"give up to {_LONGEST_NAME} characters"))
    if days and not (days.isascii() and days.isdigit() and 1 <= int(days[:9]) <= LONGEST_LIFE):
        issues.append(InputIssue(path="days", message=f"give 1 to {LONGEST_LIFE}, or leave it empty"))
    if issues:
        raise InvalidInputError("The key cannot be made as asked.", issues=tuple(issues))
    asked = {
        "name": name,
        "workspace": there.workspace.id,
        "project": there.project.id if there.project else None,
        "role": chosen_role(form),
        "expires_in_s": int(days) * _DAY_S if days else None,
    }
    try:
        return msgspec.convert(asked, KeyRequest)
    except msgspec.ValidationError as exc:
        raise InvalidInputError(f"The key cannot be made as asked: {exc}") from exc


router = Router(
    PROJECT + "/api-keys", route_handlers=[show_keys, create_key, revoke_key], dependencies=dict(NAMED)
)
