"""CPU seconds of a run: what its processes used, what Ray set aside for it, and the larger of the two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from daftray.domain.counters import CPU_TIME, RESERVED_CPU, RESERVED_PARTIAL, CounterTotal


class CpuSeconds(msgspec.Struct, frozen=True, kw_only=True):
    """CPU seconds: ``used`` is measured in the run's processes, ``reserved`` is what Ray set aside.

    ``allocated`` is the larger of the known ones, attempt by attempt; ``source`` names it, and is ``both``
    where attempts differ. ``reserved`` is a lower bound where it is ``partial``.
    """

    allocated: float | None = None
    used: float | None = None
    reserved: float | None = None
    source: str | None = None
    partial: bool = False


class AttemptCpu(msgspec.Struct, frozen=True, kw_only=True):
    """The CPU seconds of one attempt."""

    attempt: int
    cpu_seconds: CpuSeconds


def of_attempts(totals: Iterable[CounterTotal]) -> tuple[AttemptCpu, ...]:
    """Return the CPU seconds of each attempt of which some are known, in order."""
    sums: dict[int, dict[str, float]] = {}
    for total in totals:
        if total.metric in {CPU_TIME, RESERVED_CPU, RESERVED_PARTIAL}:
            found = sums.setdefault(total.attempt, {})
            found[total.metric] = found.get(total.metric, 0) + total.value
    return tuple(
        AttemptCpu(attempt=attempt, cpu_seconds=_of_one(found)) for attempt, found in sorted(sums.items())
    )


def _of_one(found: dict[str, float]) -> CpuSeconds:
    used, reserved = found.get(CPU_TIME), found.get(RESERVED_CPU)
    by_reservation = reserved is not None and (used is None or reserved > used)
    allocated = reserved if by_reservation else used
    source = None if allocated is None else "reserved" if by_reservation else "used"
    partial = found.get(RESERVED_PARTIAL, 0) > 0
    return CpuSeconds(allocated=allocated, used=used, reserved=reserved, source=source, partial=partial)


def over_attempts(attempts: Sequence[AttemptCpu]) -> CpuSeconds:
    """Return the CPU seconds of a run with those attempts."""
    each = [attempt.cpu_seconds for attempt in attempts]
    sources = {cpu.source for cpu in each} - {None}
    return CpuSeconds(
        allocated=_sum([cpu.allocated for cpu in each]),
        used=_sum([cpu.used for cpu in each]),
        reserved=_sum([cpu.reserved for cpu in each]),
        source="both" if len(sources) > 1 else next(iter(sources), None),
        partial=any(cpu.partial for cpu in each),
    )


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
