"""The forms that make and change a data source or a catalog."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from daftray.api.audit import note
from daftray.api.auth import AnyRequest
from daftray.domain.connection import Connection
from daftray.domain.errors import ConflictError, InvalidInputError
from daftray.domain.project import Project
from daftray.projects.connections import Connections
from daftray.web.connection_form import ConnectionForm, empty_form, form_of, sent_form
from daftray.web.connection_sorts import Here
from daftray.web.forms import checked_form
from daftray.web.pages import Pages
from daftray.web.redirects import see_other
from daftray.web.refusals import Refusal, refusal_of
from daftray.web.typed_fields import about


async def show_new(
    request: AnyRequest,
    here: NamedDependency[SkipValidation[Here]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Ask for the kind; once it is known, for its fields."""
    asked = request.query_params
    form = empty_form(here.sort, asked.get("kind", ""), as_json=asked.get("form") == "json")
    return _page(request, pages, here, form, None)


async def create_connection(
    request: AnyRequest,
    here: NamedDependency[SkipValidation[Here]],
    home: NamedDependency[SkipValidation[Project]],
    connections: NamedDependency[SkipValidation[Connections]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[Any]:
    """Keep a new one and show it, or the form again with what is wrong (``Any``: either)."""
    form = sent_form(here.sort, await checked_form(request))
    try:
        made = await connections.create(home, form.request())
    except (InvalidInputError, ConflictError) as error:
        return _page(request, pages, here, form, None, refused=refusal_of(error))
    note(request, target=made.id)
    return see_other(here.page_of(made))


async def show_edit(
    request: AnyRequest,
    here: NamedDependency[SkipValidation[Here]],
    connection: NamedDependency[SkipValidation[Connection]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show the form with what is kept."""
    asked = request.query_params
    form = form_of(here.sort, connection, kind=asked.get("kind", ""), as_json=asked.get("form") == "json")
    return _page(request, pages, here, form, connection)


async def replace_connection(
    request: AnyRequest,
    here: NamedDependency[SkipValidation[Here]],
    home: NamedDependency[SkipValidation[Project]],
    connection: NamedDependency[SkipValidation[Connection]],
    connections: NamedDependency[SkipValidation[Connections]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[Any]:
    """Put another name and info in place, and show it, or the form again (``Any``: either)."""
    form = sent_form(here.sort, await checked_form(request))
    try:
        await connections.replace(home, connection.id, form.request())
    except (InvalidInputError, ConflictError) as error:
        return _page(request, pages, here, form, connection, refused=refusal_of(error))
    return see_other(here.page_of(connection))


def _page(
    request: AnyRequest,
    pages: Pages,
    here: Here,
    form: ConnectionForm,
    connection: Connection | None,
    *,
    refused: Refusal | None = None,
) -> Response[str]:
    shown = here.frame(
        form=form.shown_again if refused else form,
        one=connection,
        action=here.page_of(connection) if connection else here.address,
        choose=f"{here.page_of(connection)}/edit" if connection else f"{here.address}/new",
        abouts=[(kind, about(type_)) for kind, type_ in here.sort.kinds.items()],
        refused=refused,
    )
    return pages.page(request, "connection_edit.html", status=refused.status if refused else 200, **shown)
