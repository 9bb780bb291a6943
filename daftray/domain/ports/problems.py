"""Where the exceptions of runs are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from daftray.domain.problem import Problem, ProblemReport, ProblemSample


class ProblemStore(Protocol):
    """Exceptions of runs, counted. Every report may come twice, late, or out of order, with the same end."""

    async def fold(self, run_id: str, attempt: int, reports: Sequence[ProblemReport]) -> None:
        """Fold reports in: for each process and key the greatest count wins, and sums are over them.

        Of each fingerprint the earliest exception's text stays, and the earliest `MOST_SAMPLES` samples. The
        reports show that an attempt that has started is alive (`AttemptReports.heard_at`). Raises
        `RunNotFoundError`.
        """
        ...

    async def problems(self, run_id: str, attempt: int | None = None) -> list[Problem]:
        """Return the problems of a run or of one of its attempts, most frequent first."""
        ...

    async def samples(self, run_id: str, fingerprint: str, attempt: int | None = None) -> list[ProblemSample]:
        """Return the samples of a problem, earliest first, at most `MOST_SAMPLES`."""
        ...

    async def stacktrace(self, run_id: str, fingerprint: str, attempt: int) -> str | None:
        """Return the traceback of a problem as Python printed it, where that is known."""
        ...
