"""Liveness and readiness, for whoever watches the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from daftray.api.auth import ANONYMOUS
from daftray.domain.errors import DaftrayError
from daftray.domain.ports import Pinged, RayJobs

ANSWERS_WITHIN_S = 3.0
"""A probe that hangs is worth less than one that says no."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the server, and what it needs, answers."""

    status: str
    database: bool = True
    cluster: bool = True


@get("/healthz", opt={ANONYMOUS: True}, summary="Is the server alive?")
async def alive() -> Health:
    """Answer, whatever else does."""
    return Health(status="ok")


@get("/readyz", opt={ANONYMOUS: True}, summary="Can the server work?")
async def ready(
    database: NamedDependency[SkipValidation[Pinged]], rayjobs: NamedDependency[SkipValidation[RayJobs]]
) -> Response[Health]:
    """Answer 200 when the database answers, else 503. Runs wait for a cluster that does not answer."""
    database_answers, cluster_answers = await asyncio.gather(_answers(database.ping), _answers(rayjobs.info))
    health = Health(
        status="ok" if database_answers and cluster_answers else "degraded",
        database=database_answers,
        cluster=cluster_answers,
    )
    return Response(health, status_code=200 if database_answers else 503)


async def _answers(question: Callable[[], Awaitable[object]]) -> bool:
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            await question()
    except (DaftrayError, TimeoutError):
        return False
    return True


router = Router("/", route_handlers=[alive, ready], tags=["health"])
