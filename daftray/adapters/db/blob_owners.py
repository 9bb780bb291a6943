"""What the database knows of the blobs in the blob store."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.retention_rows import IdentityRow, RunSourceRow
from daftray.adapters.db.rows import RunRow
from daftray.domain.retention import LiveSource

_THE_ONE = 1


class SqlBlobOwners:
    """The `BlobOwners` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def identity(self, candidate: str) -> str:
        """Return the database's own name."""
        name = select(IdentityRow.name).where(IdentityRow.id == _THE_ONE)
        async with self._database.reading() as session:
            if (known := await session.scalar(name)) is not None:
                return known
        async with self._database.writing() as session:
            new = insert(session, IdentityRow).values(id=_THE_ONE, name=candidate)
            await session.execute(new.on_conflict_do_nothing())
            return (await session.scalars(name)).one()

    async def unknown_runs(self, run_ids: Sequence[str]) -> set[str]:
        """Return those that are no runs here (any more)."""
        async with self._database.reading() as session:
            known = await session.scalars(select(RunRow.id).where(RunRow.id.in_(run_ids)))
            return set(run_ids) - set(known)

    async def needed_sources(self, project: str, digests: Sequence[str]) -> set[str]:
        """Return those of a project's kept sources that a run is made of."""
        needed = select(RunSourceRow.digest).where(
            RunSourceRow.project == project, RunSourceRow.digest.in_(digests)
        )
        async with self._database.reading() as session:
            return set(await session.scalars(needed))

    async def live_sources(self) -> list[LiveSource]:
        """Return the Git sources of all runs that go on."""
        live = select(RunRow.project, RunRow.commit, RunRow.spec).where(RunRow.due_at.is_not(None))
        async with self._database.reading() as session:
            rows = await session.execute(live)
            return [
                LiveSource(project=project, commit=commit, git=spec.source.git)
                for project, commit, spec in rows
                if spec.source.git is not None
            ]
