"""Reads the exceptions of runs: which there are, samples of one, and what is new beside another run."""

from __future__ import annotations

import asyncio

from daftray.domain.errors import ProblemNotFoundError
from daftray.domain.ports import ProblemStore
from daftray.domain.problem import Problem, ProblemComparison, ProblemDetail, compare


class Problems:
    """What people ask about the exceptions of runs."""

    def __init__(self, *, store: ProblemStore) -> None:
        self._store = store

    async def list(self, run_id: str, attempt: int | None = None) -> list[Problem]:
        """Return a run's problems, most frequent first."""
        return await self._store.problems(run_id, attempt)

    async def detail(self, run_id: str, fingerprint: str, attempt: int | None = None) -> ProblemDetail:
        """Return a problem with its samples, the latest attempt first. Raises `ProblemNotFoundError`."""
        problems, samples = await asyncio.gather(
            self._store.problems(run_id, attempt), self._store.samples(run_id, fingerprint, attempt)
        )
        found = [problem for problem in problems if problem.fingerprint == fingerprint]
        if not found:
            raise ProblemNotFoundError(
                "The run has no problem of that fingerprint: ask for /problems to see those that it has."
            )
        found.sort(key=lambda problem: -problem.attempt)
        stacktrace = await self._store.stacktrace(run_id, fingerprint, found[0].attempt)
        return ProblemDetail(problems=found, stacktrace=stacktrace, samples=samples)

    async def compare(self, run_id: str, other_id: str) -> ProblemComparison:
        """Return which of a run's problems are new beside another run, and which of that one's are gone."""
        here, there = await asyncio.gather(self._store.problems(run_id), self._store.problems(other_id))
        return compare(here, other_id, there)
