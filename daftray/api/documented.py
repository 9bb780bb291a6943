"""What the OpenAPI document says of errors: the problem documents that each route can answer with.

Litestar documents what it raises itself, in its own words; every error here is a problem document (RFC 9457).
Which ones a route can answer with follows from what it is; what does not, its option `PROBLEMS` adds.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.routes import HTTPRoute

from daftray.api.auth import ANONYMOUS, AnyRequest
from daftray.api.problems import MEDIA_TYPE, ProblemDetails

PROBLEMS = "problems"
"""The route option that names further statuses: ``opt={PROBLEMS: (410,)}``."""
FORMS = "forms"
"""The route option that names an answer's second media type: ``opt={FORMS: {200: "application/json"}}``."""
_SPENDING = {"POST", "PUT", "PATCH"}


def document_problems(app: Litestar) -> None:
    """Add to each route's documentation the problems that it can answer with."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                found = sorted(problems_of(handler, parameters=bool(route.path_parameters)))
                specs = {status: _spec(HTTPStatus(status)) for status in found}
                handler.responses = {**specs, **(handler.responses or {})}


def problems_of(handler: HTTPRouteHandler, *, parameters: bool) -> set[int]:
    """Return the statuses of the problems that a route can answer with."""
    found = {HTTPStatus.SERVICE_UNAVAILABLE, *handler.opt.get(PROBLEMS, ())}
    fields = handler.parsed_fn_signature.parameters
    if fields.keys() - {"request"}:
        found.add(HTTPStatus.BAD_REQUEST)
    if not handler.opt.get(ANONYMOUS):
        found |= {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    if parameters:
        found.add(HTTPStatus.NOT_FOUND)
    if handler.http_methods & _SPENDING:
        found |= {HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
    return {int(status) for status in found}


class WholeDocument(JsonRenderPlugin):
    """The document as JSON, with the media types that Litestar has no word for."""

    def render(self, request: AnyRequest, openapi_schema: dict[str, Any]) -> bytes:  # a document is any JSON
        """Return the document."""
        for route in request.app.routes:
            if isinstance(route, HTTPRoute):
                _add_forms(route, openapi_schema["paths"].get(route.path_format, {}))
        return self.render_json(request, openapi_schema)  # pyright: ignore[reportUnknownMemberType]


def _add_forms(route: HTTPRoute, operations: dict[str, Any]) -> None:
    for handler in route.route_handlers:
        forms: dict[int, str] = handler.opt.get(FORMS, {})
        for method in handler.http_methods if forms else ():
            responses = operations.get(method.lower(), {}).get("responses", {})
            for status, media_type in forms.items():
                responses[str(status)]["content"].setdefault(media_type, {"schema": {}})


def _spec(status: HTTPStatus) -> ResponseSpec:
    return ResponseSpec(
        data_container=ProblemDetails,
        media_type=MEDIA_TYPE,
        description=f"{status.phrase}: a problem document whose `type` is the error's code.",
        generate_examples=False,
    )
