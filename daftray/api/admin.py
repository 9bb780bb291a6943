"""What only those may ask for who run the server: its operators."""

from __future__ import annotations

import msgspec
from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from daftray.api.audit import AUDIT
from daftray.api.auth import AnyRequest, operator
from daftray.api.strict import refuse_unknown
from daftray.domain.retention import Collected
from daftray.retention.collector import Retention


class CollectRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Whether to remove, or only to tell what would go."""

    dry_run: bool = False


@post(
    "/v1/admin/gc",
    guards=[operator],
    opt={AUDIT: "server.collect"},
    status_code=200,
    summary="Remove what is not kept any more",
)
async def collect(
    request: AnyRequest,
    data: JSONBody[CollectRequest],
    retention: NamedDependency[SkipValidation[Retention]],
) -> Collected:
    """Remove what the server's settings do not keep, or tell what would go, by rule.

    A call has an end: where ``more`` is true, the next one goes on.
    """
    refuse_unknown(await request.body(), data)
    return await retention.collect(dry_run=data.dry_run)


router = Router("/", route_handlers=[collect], tags=["admin"])
