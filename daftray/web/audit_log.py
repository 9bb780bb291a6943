"""The audit log in a browser: who changed what, when, and from where. It is to be read, and no more."""

from __future__ import annotations

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.routes import HTTPRoute

from daftray.api.audit import AUDIT
from daftray.api.auth import AnyRequest, workspace_admin
from daftray.identity.access import Place
from daftray.identity.audit import AuditLog
from daftray.identity.names import Names
from daftray.web.audit_filters import PAGE_SIZE, filters_of
from daftray.web.audit_targets import holders_in, parts_of
from daftray.web.pages import Pages
from daftray.web.places import NAMED, PROJECT, project_page

_OF_NO_ROUTE = {"session.refuse"}
"""What is kept though no route's option says so."""


@get("/audit-log", guards=[workspace_admin], include_in_schema=False)
async def show_audit_log(
    request: AnyRequest,
    place: NamedDependency[SkipValidation[Place]],
    audit_log: NamedDependency[SkipValidation[AuditLog]],
    names: NamedDependency[SkipValidation[Names]],
    pages: NamedDependency[SkipValidation[Pages]],
) -> Response[str]:
    """Show a page of changes, newest first, by the filters of the address."""
    filters, path = filters_of(request), f"{project_page(place)}/audit-log"
    found = await audit_log.list(filters.query(place))
    called = await names.of(holders_in(found))
    return pages.page(
        request,
        "audit_log.html",
        heading="Audit log",
        address=path,
        filters=filters,
        rows=[(entry, parts_of(entry, place, called)) for entry in found],
        actions=_actions_of(request),
        older=filters.address(path, cursor=found[-1].id) if len(found) == PAGE_SIZE else None,
        newest=filters.address(path, cursor="") if filters.cursor else None,
    )


def _actions_of(request: AnyRequest) -> list[str]:
    """Return every code that a change can be kept under."""
    routes = [route for route in request.app.routes if isinstance(route, HTTPRoute)]
    codes = {handler.opt.get(AUDIT) for route in routes for handler in route.route_handlers}
    return sorted({str(code) for code in codes if code} | _OF_NO_ROUTE)


router = Router(PROJECT, route_handlers=[show_audit_log], dependencies=dict(NAMED))
