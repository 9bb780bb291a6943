"""Metrics of runs as they change, over server-sent events."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation
from litestar.response import Stream

from daftray.api.auth import viewer
from daftray.api.outcomes import provide_run_id
from daftray.api.scope import PROJECT, provide_project, provide_workspace
from daftray.runs.metrics_stream import MetricsEnd, MetricsFollower

KEEP_ALIVE = b": still here\n\n"


@get(
    "/metrics/tail",
    guards=[viewer],
    summary="Follow a run's metrics",
    media_type="text/event-stream",
)
async def follow_metrics(
    run_id: NamedDependency[str], metrics_follower: NamedDependency[SkipValidation[MetricsFollower]]
) -> Stream:
    """Send the metrics as ``GET metrics`` answers them, now and whenever they have changed.

    The first event has the whole series, each further one its new samples. The last event, ``end``, carries
    the final status: a stream that closes without it is not the run's end.
    """
    headers = {"X-Accel-Buffering": "no"}  # nginx would hold the events back
    return Stream(_events(metrics_follower, run_id), media_type="text/event-stream", headers=headers)


async def _events(follower: MetricsFollower, run_id: str) -> AsyncGenerator[bytes, None]:
    yield KEEP_ALIVE
    async for part in follower.follow(run_id):
        if part is None:
            yield KEEP_ALIVE
        elif isinstance(part, MetricsEnd):
            yield b'event: end\ndata: {"status":"%s"}\n\n' % part.status.encode()
        else:
            yield b"event: metrics\ndata: %s\n\n" % msgspec.json.encode(part)


router = Router(
    PROJECT + "/runs/{run:str}",
    route_handlers=[follow_metrics],
    dependencies={
        "workspace_id": Provide(provide_workspace),
        "home": Provide(provide_project),
        "run_id": Provide(provide_run_id),
    },
    tags=["outcomes"],
)
