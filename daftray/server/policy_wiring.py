"""What the operator's settings mean for runs."""

from __future__ import annotations

from datetime import timedelta

from daftray.runs.context import Policy
from daftray.server.settings import ServerSettings


def policy_of(settings: ServerSettings, report_url: str) -> Policy:
    """Return what the operator decided about runs."""
    return Policy(
        report_url=report_url,
        max_running=settings.max_running,
        installer=settings.installer,
        queue_deadline=timedelta(seconds=settings.queue_timeout_s),
        start_deadline=timedelta(seconds=settings.start_timeout_s),
        cluster_deadline=timedelta(seconds=settings.cluster_timeout_s),
        head_reserve=settings.head_reserve_bytes,
        memory_per_run=settings.run_memory_bytes,
    )
