"""Errors as pages, for those who look at pages: everybody else gets the problem document."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

from litestar import Response

from daftray.api.auth import AnyRequest
from daftray.api.problems import ProblemDetails
from daftray.web.pages import Pages
from daftray.web.redirects import see_other

E = TypeVar("E", bound=Exception)
_FOR_PROGRAMS = ("/v1/", "/schema", "/metrics", "/healthz", "/readyz", "/static/")
_HEADLINES = {
    HTTPStatus.NOT_FOUND: "There is no such page",
    HTTPStatus.FORBIDDEN: "You may not do this",
    HTTPStatus.TOO_MANY_REQUESTS: "Too often, too fast",
    HTTPStatus.GONE: "This is not kept any more",
}


def for_browsers(answer: Callable[[AnyRequest, E], Response[ProblemDetails]]) -> Callable[..., Response[Any]]:
    """Return an exception handler that shows browsers a page, and answers everybody else as before.

    (``Any``: an answer may be a page, a redirection or a problem document.)
    """

    def handle(request: AnyRequest, error: E) -> Response[Any]:
        problem = answer(request, error)
        if not wants_page(request):
            return problem
        status = HTTPStatus(problem.content.status)
        if status is HTTPStatus.UNAUTHORIZED:
            return to_sign_in(request)
        pages: Pages = request.app.state["pages"]
        headline = _HEADLINES.get(status, status.phrase)
        page = pages.page(
            request, "error.html", status=status, problem=problem.content, headline=headline, place=None
        )
        page.headers.update(
            {name: problem.headers[name] for name in ("Retry-After",) if name in problem.headers}
        )
        return page

    return handle


def wants_page(request: AnyRequest) -> bool:
    """Whether somebody looks at this in a browser. What programs ask for stays what it is."""
    accepts = request.headers.get("accept", "")
    return "text/html" in accepts and not request.url.path.startswith(_FOR_PROGRAMS)


def to_sign_in(request: AnyRequest) -> Response[Any]:
    """Send somebody to the sign-in, and back to where they were (``Any``: a redirection has no body)."""
    target = "/sign-in"
    if request.method == "GET":
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        target += f"?next={quote(asked, safe='/')}"
    return see_other(target)
