"""Exceptions of runs in memory: all reports are kept, and what they say together is worked out by reading."""

from __future__ import annotations

from collections.abc import Sequence

from fake_memory import Memory
from msgspec.structs import replace

from daftray.domain.problem import (
    MOST_SAMPLES,
    Problem,
    ProblemReport,
    ProblemSample,
    gravest,
    within_bound,
)


class InMemoryProblemStore:
    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory or Memory()

    async def fold(self, run_id: str, attempt: int, reports: Sequence[ProblemReport]) -> None:
        if not reports:
            return
        self._memory.need_run(run_id)
        add_problems(self._memory, run_id, attempt, reports)
        known = self._memory.reports.get((run_id, attempt))
        if known is not None:
            self._memory.reports[run_id, attempt] = replace(known, heard_at=self._memory.clock.now())

    async def problems(self, run_id: str, attempt: int | None = None) -> list[Problem]:
        found = [
            _summed(of_fingerprint, number)
            for number, reports in self._of(run_id, attempt)
            for of_fingerprint in _by_fingerprint(reports).values()
        ]
        return sorted(found, key=lambda one: (-one.count, one.first_seen, one.attempt, one.fingerprint))

    async def samples(self, run_id: str, fingerprint: str, attempt: int | None = None) -> list[ProblemSample]:
        found: set[tuple[object, ...]] = set()
        samples: list[ProblemSample] = []
        for number, reports in self._of(run_id, attempt):
            for report in _by_fingerprint(reports).get(fingerprint, []):
                for sample in report.samples:
                    name = (number, report.process, report.key, sample.at, sample.message)
                    if name not in found:
                        found.add(name)
                        samples.append(sample)
        return sorted(samples, key=lambda one: (one.at, one.attempt))[:MOST_SAMPLES]

    async def stacktrace(self, run_id: str, fingerprint: str, attempt: int) -> str | None:
        for _, reports in self._of(run_id, attempt):
            if of_fingerprint := _by_fingerprint(reports).get(fingerprint):
                return _earliest(of_fingerprint).stacktrace
        return None

    def _of(self, run_id: str, attempt: int | None) -> list[tuple[int, list[ProblemReport]]]:
        return [
            (number, reports)
            for (of, number), reports in self._memory.problems.items()
            if of == run_id and attempt in {None, number}
        ]


def add_problems(memory: Memory, run_id: str, attempt: int, reports: Sequence[ProblemReport]) -> None:
    """Keep reports as they are, save for those beyond the bound."""
    kept = memory.problems.setdefault((run_id, attempt), [])
    kept += within_bound(reports, {report.fingerprint for report in kept})


def _by_fingerprint(reports: Sequence[ProblemReport]) -> dict[str, list[ProblemReport]]:
    found: dict[str, list[ProblemReport]] = {}
    for report in reports:
        found.setdefault(report.fingerprint, []).append(report)
    return found


def _earliest(reports: Sequence[ProblemReport]) -> ProblemReport:
    return min(reports, key=lambda one: (one.first_seen, f"{one.process}/{one.key}"))


def _summed(reports: Sequence[ProblemReport], attempt: int) -> Problem:
    greatest: dict[tuple[str, str], ProblemReport] = {}
    for report in reports:
        name = (report.process, report.key)
        if name not in greatest or report.count > greatest[name].count:
            greatest[name] = report
    return replace(
        _earliest(reports).problem(attempt),
        count=sum(report.count for report in greatest.values()),
        first_seen=min(report.first_seen for report in reports),
        last_seen=max(report.last_seen for report in greatest.values()),
        handled=gravest(report.handled for report in greatest.values()),
    )
