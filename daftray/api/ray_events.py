"""Where Ray posts its events. It can send no header of its own, so a secret is part of the address."""

from __future__ import annotations

import hmac

from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from daftray.api.auth import ANONYMOUS, AnyRequest
from daftray.api.documented import PROBLEMS
from daftray.domain.errors import UnauthenticatedError
from daftray.metrics.reservations import Reservations

LARGEST_BATCH = 64 * 1024**2


def router(secret: str | None) -> Router:
    """Return the route, which takes nothing where there is no secret."""

    @post(
        "/v1/ingest/ray/{secret_of_path:str}/events",
        status_code=204,
        opt={ANONYMOUS: True, PROBLEMS: (401,)},
        request_max_body_size=LARGEST_BATCH,
        summary="Events of a Ray cluster",
    )
    async def ray_events(
        request: AnyRequest,
        secret_of_path: FromPath[str],
        reservations: NamedDependency[SkipValidation[Reservations]],
    ) -> None:
        """Fold in what Ray tells of tasks and actors: the CPU seconds that it set aside for runs."""
        if secret is None or not hmac.compare_digest(secret_of_path.encode(), secret.encode()):
            raise UnauthenticatedError("This is not the address that Ray's events go to.")
        await reservations.heard(await request.body())

    return Router("/", route_handlers=[ray_events], tags=["ingest"])
