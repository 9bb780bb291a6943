"""A project's own settings in a browser: all that there is of it, its form, and its end."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from daftray.api.audit import AUDIT
from daftray.api.auth import AnyRequest, admin, viewer
from daftray.api.authentication import CSRF_IN_FORM
from daftray.domain.errors import ConflictError, InputIssue, InvalidInputError, PricesNotFoundError
from daftray.domain.integration import Integration
from daftray.domain.price import PriceTable
from daftray.domain.principal import Principal, Role
from daftray.domain.project import Project
from daftray.identity.access import Place
from daftray.identity.names import Names
from daftray.projects.integrations import Integrations
from daftray.projects.prices import Prices
from daftray.projects.secrets import ProjectSecrets
from daftray.projects.service import Projects
from daftray.web.forms import SMALL, checked_form
from daftray.web.pages import Pages
from daftray.web.places import NAMED, PROJECT, project_page
from daftray.web.project_form import ProjectForm, form_of, sent_form, tag_of
from daftray.web.redirects import see_other
from daftray.web.refusals import Refusal, refusal_of


class ProjectShown(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. ``integrations`` are none where they are not the caller's to see."""

    home: Project
    address: str
    may_change: bool
    secret_names: list[str]
    integrations: list[Integration] | None
    prices: PriceTable | None
    who: dict[str, str]

    @property
    def credential_missing(self) -> bool:
        """Whether the secret that opens the remote is not set."""
        credential = self.home.source.remote.credential
        return bool(credential) and credential not in self.secret_names


async def provide_shown(
    place: NamedDependency[SkipValidation[Place]],
    home: NamedDependency[SkipValidation[Project]],
    project_secrets: NamedDependency[SkipValidation[ProjectSecrets]],
    integrations: NamedDependency[SkipValidation[Integrations]],
    prices: NamedDependency[SkipValidation[Prices]],
    names: NamedDependency[SkipValidation[Names]],
    caller: NamedDependency[SkipValidation[Principal]],
) -> ProjectShown:
    """Return the project with what belongs to it. Integrations are for viewers of the workspace."""
    in_workspace = caller.role_in(place.workspace.id) is not None
    recorded = await integrations.list(place.workspace.id) if in_workspace else None
    try:
        table = await prices.get(home)
    except PricesNotFoundError:
        table = None
    makers = [one.created_by for one in recorded or []] + ([table.created_by] if table else [])
    return ProjectShown(
        home=home,
        address=f"{project_page(place)}/settings",
        may_change=place.role is not None and place.role >= Role.ADMIN,
        secret_names=[secret.name for secret in await project_secrets.list(home.id)],
        integrations=recorded,
        prices=table,
        who=await names.of(makers),
    )


@get("/", guards=[viewer], include_in_schema=False)
async def show_settings(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[ProjectShown]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show all of it, and to admins the forms."""
    return _page(request, pages, shown, form_of(shown.home))


@post(
    "/",
    guards=[admin],
    opt={CSRF_IN_FORM: True, AUDIT: "project.update"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def change_project(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    shown: NamedDependency[SkipValidation[ProjectShown]],
    projects: NamedDependency[SkipValidation[Projects]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[Any]:
    """Change it and show it under its name, or the form again with what is wrong (``Any``: either)."""
    form = sent_form(await checked_form(request), tag_of(shown.home))
    try:
        changed = await projects.update(shown.home, form.patch())
    except (InvalidInputError, ConflictError) as error:
        return _page(request, pages, shown, form.shown_again, refused=form.refusal_of(error))
    return see_other(f"{project_page(msgspec.structs.replace(place, project=changed))}/settings")


@post(
    "/delete",
    guards=[admin],
    opt={CSRF_IN_FORM: True, AUDIT: "project.delete"},
    include_in_schema=False,
    request_max_body_size=SMALL,
    status_code=HTTPStatus.SEE_OTHER,
)
async def delete_project(
    request: AnyRequest,
    shown: NamedDependency[SkipValidation[ProjectShown]],
    projects: NamedDependency[SkipValidation[Projects]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[Any]:
    """Remove it with its runs where its name was typed, and show the projects (``Any``: or what is wrong)."""
    typed = (await checked_form(request)).get("typed").strip()
    try:
        _check_typed(typed, shown.home.name)
        await projects.delete(shown.home)
    except (InvalidInputError, ConflictError) as error:
        return _page(request, pages, shown, form_of(shown.home), kept=refusal_of(error), typed=typed)
    return see_other("/projects")


def _check_typed(typed: str, name: str) -> None:
    if typed != name:
        issue = InputIssue(path="typed", message=f"type {name}")
        raise InvalidInputError("Nothing was deleted: that is not its name.", issues=(issue,))


def _page(
    request: AnyRequest,
    pages: Pages,
    shown: ProjectShown,
    form: ProjectForm,
    *,
    refused: Refusal | None = None,
    kept: Refusal | None = None,
    typed: str = "",
) -> Response[str]:
    """Return the page; ``refused`` is a change, ``kept`` a deletion."""
    wrong = refused or kept
    return pages.page(
        request,
        "project_settings.html",
        status=wrong.status if wrong else HTTPStatus.OK,
        heading="Project",
        shown=shown,
        form=form,
        refused=refused,
        kept=kept,
        typed=typed,
    )


router = Router(
    PROJECT + "/settings",
    route_handlers=[show_settings, change_project, delete_project],
    dependencies={**NAMED, "shown": Provide(provide_shown)},
)
