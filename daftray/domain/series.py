"""What a run had used at which time: a bounded series, finer for short runs and coarser for long ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

if TYPE_CHECKING:  # it holds a series itself
    from daftray.domain.metrics import UsageSummary

MOST_SAMPLES = 240
"""Where there would be more, every second one goes, and further ones come half as often."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What had been used by then, since the run began."""

    at: datetime
    requests: float | None = None
    tokens_in: float | None = None
    tokens_out: float | None = None
    cpu_seconds: float | None = None
    cost: float | None = None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Samples in order, no two closer than ``step_s``."""

    step_s: float = 1.0
    samples: tuple[Sample, ...] = ()

    def takes(self, at: datetime) -> bool:
        """Tell whether there is room for a sample of that time: it is later than the last by a step."""
        return not self.samples or at - self.samples[-1].at >= timedelta(seconds=self.step_s)

    def grown(self, at: datetime, usage: UsageSummary) -> Series:
        """Return the series with what had been used by then. One that it has no room for changes nothing."""
        if not self.takes(at):
            return self
        sample = Sample(
            at=at,
            requests=usage.requests,
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            cpu_seconds=usage.cpu_seconds,
            cost=usage.cost,
        )
        samples = (*self.samples, sample)
        if len(samples) <= MOST_SAMPLES:
            return replace(self, samples=samples)
        return Series(step_s=self.step_s * 2, samples=samples[::2])
