"""The exceptions of a run, and the code that they come from."""

from __future__ import annotations

from daftray.client._async.connection import segment
from daftray.client._async.place import Place
from daftray.client.answers import ProblemsAnswer
from daftray.client.asked import RunOrId, parameters, run_id
from daftray.client.errors import AnswerNotUnderstoodError
from daftray.domain.problem import Problem, ProblemComparison, ProblemDetail


class AsyncRunProblems:
    """The exceptions of the runs of a project."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def problems(self, run: RunOrId, *, attempt: int | None = None) -> list[Problem]:
        """Return the run's exceptions, equal ones counted together."""
        answer = await self._place.connection.get(
            f"{self._path(run)}/problems", ProblemsAnswer, parameters=parameters(attempt=attempt)
        )
        return answer.problems

    async def problem(self, run: RunOrId, fingerprint: str, *, attempt: int | None = None) -> ProblemDetail:
        """Return one of the run's problems with samples, its traceback, and the code around its frames.

        Raises:
            ProblemNotFoundError: the run has no such problem.
        """
        path = f"{self._path(run)}/problems/{segment(fingerprint)}"
        return await self._place.connection.get(path, ProblemDetail, parameters=parameters(attempt=attempt))

    async def compare_problems(self, run: RunOrId, against: RunOrId) -> ProblemComparison:
        """Return which of the run's problems are new beside another run of the project, and which are gone.

        Raises:
            RunNotFoundError: the project has no such other run.
        """
        answer = await self._place.connection.get(
            f"{self._path(run)}/problems", ProblemsAnswer, parameters=parameters(against=run_id(against))
        )
        if answer.comparison is None:
            raise AnswerNotUnderstoodError("The server compares no problems: it is older than this client.")
        return answer.comparison

    async def source(self, run: RunOrId, path: str) -> bytes:
        """Return a file as the run had it: at its commit, with the changes that came along.

        Raises:
            FileNotInSourceError: the run has no commit, or the commit no such file.
            SourceError: it is too large to show, or the commit is not to be had any more.
        """
        inside = "/".join(segment(part) for part in path.split("/"))
        response = await self._place.connection.call(
            "GET", f"{self._path(run)}/source/{inside}", headers={"Accept": "*/*"}, repeatable=True
        )
        return response.content

    @property
    def _runs_path(self) -> str:
        return f"{self._place.project_path}/runs"

    def _path(self, run: RunOrId) -> str:
        return f"{self._runs_path}/{segment(run_id(run))}"
