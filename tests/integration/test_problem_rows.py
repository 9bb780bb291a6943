"""How much the database keeps of a problem that never stops."""

from __future__ import annotations

from factories import a_problem_report, a_project, a_run, a_sample, at, new
from sqlalchemy import text
from stores import opened

from daftray.domain.problem import MOST_SAMPLES


async def test_samples_that_are_not_shown_any_more_are_not_kept(database_url: str) -> None:
    async with opened(database_url) as (database, stores):
        await stores.projects.add(a_project(id="prj_demo"))
        run = a_run()
        await stores.runs.add(new(run))
        for start in range(200, 0, -5):
            samples = tuple(a_sample(at=at(start + number)) for number in range(5))
            await stores.problems.fold(run.id, 1, [a_problem_report(process=str(start), samples=samples)])
        async with database.reading() as session:
            kept = await session.scalar(text("SELECT count(*) FROM problem_samples"))
        assert kept == MOST_SAMPLES
