"""The server's figures for Prometheus.

They name projects and tell of their usage, so they take a key by default: one that sees the whole workspace.
"""

from __future__ import annotations

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import SkipValidation
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from daftray.api.auth import ANONYMOUS, Connection, person
from daftray.domain.errors import ForbiddenError
from daftray.metrics.exposition import Exposition


async def _metrics(exposition: NamedDependency[SkipValidation[Exposition]]) -> Response[bytes]:
    """Answer in Prometheus's text format."""
    return Response(await exposition.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _whole_workspace(connection: Connection, _: BaseRouteHandler) -> None:
    caller = person(connection)
    if not caller.operator and all(grant.project is not None for grant in caller.grants):
        raise ForbiddenError("This needs a key of the whole workspace: it tells of every project.")


def router(*, open_to_all: bool) -> Router:
    """Return the route, which takes a key unless it is open to all who reach the server."""
    guards = [] if open_to_all else [_whole_workspace]
    handler = get("/metrics", opt={ANONYMOUS: open_to_all}, guards=guards, summary="Figures for Prometheus")(
        _metrics
    )
    return Router("/", route_handlers=[handler], tags=["health"])
