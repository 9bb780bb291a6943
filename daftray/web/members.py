"""Who may do what in a project and in its workspace: roles are given, changed and taken, without a script."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import AnyRequest, admin
from daftray.api.authentication import CSRF_IN_FORM
from daftray.api.problems import STATUS_OF
from daftray.domain.errors import (
    ConflictError,
    DaftrayError,
    InputIssue,
    InvalidInputError,
    MemberNotFoundError,
    UserNotFoundError,
)
from daftray.domain.principal import Principal
from daftray.domain.user import Member
from daftray.identity.access import Place
from daftray.identity.members import Members
from daftray.web.forms import SMALL, Form, checked_form
from daftray.web.pages import Pages
from daftray.web.places import NAMED, PROJECT, project_page
from daftray.web.redirects import see_other
from daftray.web.scopes import ROLES, administers, chosen_place, chosen_role

_LONGEST_NAME = 200
_REFUSALS = (InvalidInputError, UserNotFoundError, MemberNotFoundError, ConflictError)
"""What the page itself says; all else is an error's page."""


@get("/", guards=[admin], include_in_schema=False)
async def show_members(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    caller: NamedDependency[SkipValidation[Principal]],
    members: NamedDependency[SkipValidation[Members]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show the members by name, those of the workspace too to who may change it."""
    form = Form([("role", "runner"), ("scope", "project")])
    return await _page(request, pages, place, caller, members, form)


@post(
    "/",
    guards=[admin],
    opt={CSRF_IN_FORM: True, AUDIT: "member.set"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def set_member(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    caller: NamedDependency[SkipValidation[Principal]],
    members: NamedDependency[SkipValidation[Members]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[Any]:
    """Give somebody a role in place of the one before, or say why not (``Any``: a page or a redirection)."""
    form = await checked_form(request)
    try:
        there = chosen_place(form, place, caller)
        member = await members.put(caller, there, _name_in(form), chosen_role(form))
    except _REFUSALS as error:
        kept = Form([]) if form.get("listed") else form  # of a line in the list there is nothing to keep
        return await _page(request, pages, place, caller, members, kept, wrong=error)
    note(request, target=f"{member.user_id}:{member.role}", project=member.project)
    return see_other(f"{project_page(place)}/members")


@post(
    "/remove",
    guards=[admin],
    opt={CSRF_IN_FORM: True, AUDIT: "member.remove"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def remove_member(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    caller: NamedDependency[SkipValidation[Principal]],
    members: NamedDependency[SkipValidation[Members]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[Any]:
    """Take somebody's role, or say why not (``Any``: as above)."""
    form = await checked_form(request)
    try:
        there, name = chosen_place(form, place, caller), _name_in(form)
        await members.remove(caller, there, name)
    except _REFUSALS as error:
        return await _page(request, pages, place, caller, members, Form([]), wrong=error)
    note(request, target=name, project=there.project.id if there.project else None)
    return see_other(f"{project_page(place)}/members")


def _name_in(form: Form) -> str:
    name = form.get("user").strip()
    if not 1 <= len(name) <= _LONGEST_NAME:
        issue = InputIssue(path="user", message="give the name that they sign in with")
        raise InvalidInputError("Say who is meant.", issues=(issue,))
    return name


async def _page(
    request: AnyRequest,
    pages: Pages,
    place: Place,
    caller: Principal,
    members: Members,
    form: Form,
    *,
    wrong: DaftrayError | None = None,
) -> Response[str]:
    whole = administers(caller, place)
    return pages.page(
        request,
        "members.html",
        status=STATUS_OF[wrong.code] if wrong else HTTPStatus.OK,
        heading="Members",
        rows=await _listed(members, place, whole=whole),
        whole=whole,
        roles=ROLES,
        form=form,
        wrong=wrong,
    )


async def _listed(members: Members, place: Place, *, whole: bool) -> list[Member]:
    """Return the project's members, and the workspace's where the caller may see them."""
    if not whole or place.project is None:
        return await members.list(place)
    everywhere = await members.list(Place(workspace=place.workspace, role=place.role))
    return [member for member in everywhere if member.project in {None, place.project.id}]


router = Router(
    PROJECT + "/members",
    route_handlers=[show_members, set_member, remove_member],
    dependencies=dict(NAMED),
)
