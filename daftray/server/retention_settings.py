"""What an operator can say about how long things are kept, as a part of the server's settings."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings

from daftray.retention.policy import Bound, RetentionPolicy

GIBIBYTE = 1024**3


def _none_of(value: object) -> object:
    """Take the words of a variable for what none has."""
    return None if isinstance(value, str) and value.strip().lower() in {"", "none"} else value


Days = Annotated[Annotated[float, Field(gt=0, le=36500)] | None, BeforeValidator(_none_of)]
"""For how long; ``none`` is for ever."""
Size = Annotated[Annotated[int, Field(ge=0)] | None, BeforeValidator(_none_of)]
"""Up to how many bytes; ``none`` is without a limit."""


class RetentionSettings(BaseSettings):
    """How long things are kept, and up to which size. Nothing here touches a run that has not ended."""

    keep_logs_days: Days = 90
    logs_bytes: Size = 10 * GIBIBYTE
    keep_results_days: Days = 90
    results_bytes: Size = 50 * GIBIBYTE
    keep_runs_days: Days = None
    """The records of runs, with all that hangs on them."""
    keep_packages_days: Days = 30
    shared_packages_bytes: Size = 20 * GIBIBYTE
    """Packages in the blob store; ``package_cache_bytes`` bounds those on a server's own disk."""
    keep_mirrors_days: Days = 90
    """Git mirrors that no run drew on for so long."""
    mirrors_bytes: Size = 20 * GIBIBYTE
    keep_ray_jobs_minutes: Annotated[float, Field(ge=1)] = 10
    """How long Ray keeps the record of a job whose run has ended."""
    retention_interval_s: Annotated[float, Field(ge=1)] = 300
    """How often it is looked what is to go."""

    @property
    def retention_policy(self) -> RetentionPolicy:
        """What is to be kept."""
        return RetentionPolicy(
            logs=Bound(age=_days(self.keep_logs_days), size=self.logs_bytes),
            results=Bound(age=_days(self.keep_results_days), size=self.results_bytes),
            packages=Bound(age=_days(self.keep_packages_days), size=self.shared_packages_bytes),
            mirrors=Bound(age=_days(self.keep_mirrors_days), size=self.mirrors_bytes),
            runs=_days(self.keep_runs_days),
            every=timedelta(seconds=self.retention_interval_s),
        )


def _days(days: float | None) -> timedelta | None:
    return None if days is None else timedelta(days=days)
