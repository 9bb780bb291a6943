"""What the database knows of jobs that were submitted to a cluster."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from daftray.adapters.db.database import Database
from daftray.adapters.db.rows import AttemptRow, RunRow
from daftray.domain.retention import SubmittedAttempt


class SqlSubmittedJobs:
    """The `SubmittedJobs` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def attempts(
        self, cluster: str, asked: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], SubmittedAttempt]:
        """Return those attempts, by run and number, whose runs are known here and are that cluster's."""
        ids = {run_id for run_id, _ in asked}
        async with self._database.reading() as session:
            now = await self._database.now(session)
            runs = await session.execute(
                select(RunRow.id, RunRow.attempt, RunRow.due_at, RunRow.completed_at).where(
                    RunRow.id.in_(ids), RunRow.cluster == cluster
                )
            )
            known = {row.id: row for row in runs}
            ends = await session.execute(
                select(AttemptRow.run_id, AttemptRow.number, AttemptRow.ended_at).where(
                    AttemptRow.run_id.in_(known), AttemptRow.ended_at.is_not(None)
                )
            )
            ended_at = {(run_id, number): at for run_id, number, at in ends}
        found: dict[tuple[str, int], SubmittedAttempt] = {}
        for run_id, number in asked:
            run = known.get(run_id)
            if run is None or number > run.attempt:
                continue
            over = run.due_at is None or number < run.attempt
            ended = ended_at.get((run_id, number)) or run.completed_at or now
            found[run_id, number] = SubmittedAttempt(
                run=run_id, attempt=number, over_for=now - ended if over else None
            )
        return found
