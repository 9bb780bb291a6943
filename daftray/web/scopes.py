"""What a form of a project's people and keys is about: the project, or its whole workspace."""

from __future__ import annotations

from daftray.domain.errors import ForbiddenError, InputIssue, InvalidInputError
from daftray.domain.principal import Principal, Role, RoleName
from daftray.identity.access import Place
from daftray.web.forms import Form

ROLES: tuple[RoleName, ...] = tuple(role.word for role in Role)
"""From the least on."""
_NOT_ADMIN = "This needs the role admin in the whole workspace."


def administers(caller: Principal, place: Place) -> bool:
    """Whether the whole workspace of a project is the caller's to change."""
    return caller.role_in(place.workspace.id) is Role.ADMIN


def chosen_place(form: Form, place: Place, caller: Principal) -> Place:
    """Return what a form chose: the project of the page, or its workspace.

    Raises:
        InvalidInputError: it chose neither.
        ForbiddenError: it chose the workspace, and the caller is not its admin.
    """
    scope = form.get("scope")
    if scope == "project":
        return place
    if scope != "workspace":
        raise InvalidInputError(
            "Say what it is for.", issues=(InputIssue(path="scope", message="give project or workspace"),)
        )
    if not administers(caller, place):
        raise ForbiddenError(_NOT_ADMIN)
    return Place(workspace=place.workspace, role=Role.ADMIN)


def chosen_role(form: Form) -> RoleName:
    """Return the role that a form chose. Raises `InvalidInputError`."""
    role = form.get("role")
    if role not in ROLES:
        issue = InputIssue(path="role", message=f"give one of {', '.join(ROLES)}")
        raise InvalidInputError("Choose a role.", issues=(issue,))
    return role
