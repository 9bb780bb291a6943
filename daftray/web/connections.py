"""Data sources and catalogs in a browser: their list, each one's page, its check, its end."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from daftray.api.auth import AnyRequest
from daftray.domain.connection import CheckRequest, Connection
from daftray.domain.errors import InvalidInputError
from daftray.domain.forms import read
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.metrics.outcomes import Outcomes
from daftray.projects.connections import Connections
from daftray.runs.checks import TIMEOUT_S, Checks
from daftray.runs.service import Runs
from daftray.web.connection_form import form_of
from daftray.web.connection_sorts import Here, Sort
from daftray.web.forms import Form, checked_form
from daftray.web.last_checks import Checked, last_checks
from daftray.web.pages import Pages
from daftray.web.redirects import see_other
from daftray.web.refusals import Refusal, refusal_of

_MOST = 200
"""That are listed. Projects with more are beyond what a page is good for: the command line lists them all."""
_LONGEST_SHOWN = 120


async def provide_last_check(
    home: NamedDependency[SkipValidation[Project]],
    connection: NamedDependency[SkipValidation[Connection]],
    run_service: NamedDependency[SkipValidation[Runs]],
    outcomes: NamedDependency[SkipValidation[Outcomes]],
) -> Checked | None:
    """Return how the last check of the path's went, if there was one lately."""
    found = await last_checks(run_service, outcomes, home, connection.sort, {connection.id})
    return found.get(connection.id)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list: what it needs most, field by field, and how its last check went."""

    connection: Connection
    address: str
    kind: str
    essence: list[tuple[str, str]]
    checked: Checked | None


async def list_connections(
    request: AnyRequest,
    here: NamedDependency[SkipValidation[Here]],
    home: NamedDependency[SkipValidation[Project]],
    connections: NamedDependency[SkipValidation[Connections]],
    run_service: NamedDependency[SkipValidation[Runs]],
    outcomes: NamedDependency[SkipValidation[Outcomes]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show the project's, by name."""
    sort = here.sort.sort
    found = await connections.list(home, sort, limit=_MOST, offset=0)
    checked = await last_checks(run_service, outcomes, home, sort, {one.id for one in found})
    rows = [
        Row(
            connection=one,
            address=here.page_of(one),
            kind=next(iter(one.info), ""),
            essence=_essence(here.sort, one),
            checked=checked.get(one.id),
        )
        for one in found
    ]
    return pages.page(request, "connections.html", **here.frame(rows=rows, most=_MOST))


async def show_connection(
    request: AnyRequest,
    here: NamedDependency[SkipValidation[Here]],
    connection: NamedDependency[SkipValidation[Connection]],
    last_check: NamedDependency[SkipValidation[Checked | None]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show one: what it is, and what its last check told."""
    return _page(request, pages, here, connection, last_check, Form([]))


async def delete_connection(
    request: AnyRequest,
    here: NamedDependency[SkipValidation[Here]],
    home: NamedDependency[SkipValidation[Project]],
    connection: NamedDependency[SkipValidation[Connection]],
    connections: NamedDependency[SkipValidation[Connections]],
) -> Response[Any]:
    """Remove one and show the list (``Any``: a redirection has no body)."""
    await checked_form(request)
    await connections.delete(home, here.sort.sort, connection.id)
    return see_other(here.address)


async def start_check(
    request: AnyRequest,
    here: NamedDependency[SkipValidation[Here]],
    connection: NamedDependency[SkipValidation[Connection]],
    last_check: NamedDependency[SkipValidation[Checked | None]],
    checks: NamedDependency[SkipValidation[Checks]],
    caller: NamedDependency[SkipValidation[Principal]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[Any]:
    """Start the run of a check and show the page, which tells what came of it (``Any``: or what is wrong)."""
    form = await checked_form(request)
    try:
        await checks.start(connection, _asked(form), caller)
    except InvalidInputError as error:
        return _page(request, pages, here, connection, last_check, form, refused=refusal_of(error))
    return see_other(here.page_of(connection))


def _asked(form: Form) -> CheckRequest:
    lines = [line.strip() for line in form.get("environment.dependencies").splitlines() if line.strip()]
    version, timeout = form.get("environment.python_version").strip(), form.get("timeout_s").strip()
    environment = {"dependencies": lines, "python_version": version}
    raw: dict[str, object] = {"environment": environment}
    if timeout:
        raw["timeout_s"] = int(timeout) if timeout.isascii() and timeout.isdigit() else timeout
    return read(raw, CheckRequest, "", refusal="The check cannot be started as asked.")


def _essence(sort: Sort, connection: Connection) -> list[tuple[str, str]]:
    """Return the fields that its kind needs, each with its text, cut."""
    form = form_of(sort, connection)
    own = form.groups[:1]
    return [
        (field.name, form.texts[field.path].replace("\n", ", ")[:_LONGEST_SHOWN])
        for group in own
        for field in group.fields
        if field.path in form.texts and (field.required or field.secret or field.name == "url")
    ]


def _secrets_in(value: object) -> set[str]:
    if not isinstance(value, dict):
        return set()
    return {
        found
        for name, one in msgspec.convert(value, dict[str, object]).items()
        for found in ({str(one)} if name == "secret_name" else _secrets_in(one))
    }


def _page(
    request: AnyRequest,
    pages: Pages,
    here: Here,
    connection: Connection,
    checked: Checked | None,
    form: Form,
    *,
    refused: Refusal | None = None,
) -> Response[str]:
    shown = here.frame(
        one=connection,
        address=here.page_of(connection),
        info=msgspec.json.format(msgspec.json.encode(connection.info), indent=2).decode(),
        unset=sorted(_secrets_in(connection.info) - set(here.secret_names)),
        checked=checked,
        form=form,
        refused=refused,
        timeout_s=TIMEOUT_S,
    )
    return pages.page(request, "connection.html", status=refused.status if refused else 200, **shown)
