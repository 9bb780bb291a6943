"""The server's figures for Prometheus.

They name the projects of all workspaces and tell of their usage, so they take an operator's key by default.
"""

from __future__ import annotations

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from daftray.api.auth import ANONYMOUS, operator
from daftray.metrics.exposition import Exposition

_MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4.partition("; charset")[0]  # Litestar adds the charset


async def _metrics(exposition: NamedDependency[SkipValidation[Exposition]]) -> Response[bytes]:
    """Answer in Prometheus's text format."""
    return Response(await exposition.text(), media_type=_MEDIA_TYPE)


def router(*, open_to_all: bool) -> Router:
    """Return the route, which takes a key unless it is open to all who reach the server."""
    guards = [] if open_to_all else [operator]
    made = get(
        "/metrics",
        opt={ANONYMOUS: open_to_all},
        guards=guards,
        media_type="text/plain",
        summary="Figures for Prometheus",
    )
    handler = made(_metrics)
    return Router("/", route_handlers=[handler], tags=["health"])
