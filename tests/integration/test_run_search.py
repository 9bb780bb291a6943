"""Lists by every filter, against the same lists in memory: whatever was changed, removed or looked up how."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from factories import NOW, a_claim, a_project, at
from factories import a_run as a_plain_run
from msgspec.structs import replace
from stores import Stores, emptied_stores, memory_stores, opened

from daftray.adapters.db import run_list
from daftray.domain.ids import Ids
from daftray.domain.ports import NewRun, RunQuery
from daftray.domain.run import Run, RunEvent
from daftray.domain.spec import Entrypoint, FileEntrypoint
from daftray.domain.status import RunPhase, RunStatus

PROJECTS = ("prj_demo", "prj_0000000000000000000000xk7q", "prj_0000000000000000000000yk7q")
NAMES = (
    "nightly embed",
    "Nightly SCORE",
    "try-17",
    'say "no"',
    "50% of_it",
    "back\\slash",
    "ÄRGER",
    "🌙",
    None,
)
FILES = ("etl/load_v1.py", "etl/load_v2.py", "score.py")
LABELS = {"team": ("a", "b"), "env": ("prod", "test"), "odd=key": ("'; --", "ключ")}
TEXTS = (
    "nightly",
    "NIGHTLY s",
    "load_v",
    "load_v1",
    "try-17",
    '"no"',
    "% of_",
    "k\\s",
    "ärger",
    "none",
    "abcabc",
)
COMMITS = ("0123456789abcdef" * 2 + "01234567", "abcabd" * 6 + "abca", None)
TRIGGERS = ("manual", "cron")
TASKS = ("tsk_1", "tsk_2")


@pytest.fixture(params=["sqlite", "postgres"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Stores, None]:
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "daftray.db")
        async with opened(f"sqlite:///{path}") as (_, found):
            yield found
    else:
        async with emptied_stores(request.getfixturevalue("migrated_postgres")) as found:
            yield found


class Chance:
    """Random runs and queries. Several processes made the ids: within a millisecond they lie anyhow."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 (repeatable)
        self._ids = [Ids(self._random.getrandbits) for _ in range(3)]

    def run(self) -> Run:
        pick = self._random.choice
        created_at = at(pick((0, 0, 0.001, 0.002, 3600, 40_000, 80_000, 400_000)))
        labels = {key: pick(values) for key, values in LABELS.items() if pick((True, False))}
        return a_plain_run(
            id=pick(self._ids).new("run", created_at),
            project=pick((*PROJECTS, "prj_demo")),
            created_at=created_at,
            name=pick(NAMES),
            entrypoint=Entrypoint(file=FileEntrypoint(file_path=pick(FILES))),
            labels=labels,
            trigger=pick(TRIGGERS),
            task=pick((None, None, *TASKS)),
            status=pick((RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.PENDING)),
            commit=pick(COMMITS),
        )

    def query(self, runs: list[Run]) -> RunQuery:
        pick = self._random.choice
        labels = {
            key: pick((*values, "none")) for key, values in LABELS.items() if pick((True, False, False))
        }
        times = (None, None, at(0), at(0.001), at(50_000))
        return RunQuery(
            project=pick(PROJECTS),
            status=pick((None, None, None, *RunStatus)),
            trigger=pick((None, None, None, *TRIGGERS)),
            task=pick((*(None,) * 9, *TASKS, "tsk_none")),
            labels=labels if pick((True, False, False)) else {},
            text=pick((None, *TEXTS, *TEXTS, "ab", COMMITS[0][5:20])),
            created_after=pick(times),
            created_before=pick(times),
            before=pick((None, None, pick(runs).id, "zzz")),
            offset=pick((0, 0, 2)),
            limit=pick((1, 3, 50)),
        )

    def some(self, runs: list[Run]) -> list[Run]:
        return self._random.sample(runs, 15)


def added(run: Run) -> NewRun:
    event = RunEvent(at=NOW, from_=RunStatus.PENDING, to=RunStatus.PENDING, phase=RunPhase.PINNING)
    return NewRun(run=run, event=event)


async def filled(chance: Chance, *all_stores: Stores) -> list[Run]:
    """Put the same runs into all stores."""
    runs = [chance.run() for _ in range(120)]
    for stores in all_stores:
        for number, project in enumerate(PROJECTS):
            await stores.projects.add(a_project(id=project, name=f"p{number}"))
        await stores.runs.add(*map(added, runs))
    return runs


async def agree(chance: Chance, stores: Stores, memory: Stores, runs: list[Run]) -> int:
    """Ask both; return how many runs were found in all."""
    count = 0
    for _ in range(80):
        query = chance.query(runs)
        wanted = await memory.runs.list(query)
        assert [run.id for run in await stores.runs.list(query)] == [run.id for run in wanted], query
        count += len(wanted)
    return count


@pytest.mark.parametrize(("seed", "look"), [(0, 1), (1, 1), (2, 7), (3, 1000)])
async def test_lists_are_those_of_the_memory(
    stores: Stores, seed: int, look: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_list, "_LOOK", look)
    chance, memory = Chance(seed), memory_stores()
    runs = await filled(chance, stores, memory)
    assert await agree(chance, stores, memory, runs) > 20
    for one in (stores, memory):
        for run in await one.runs.claim_due(a_claim(), limit=100):
            status = RunStatus.RUNNING if run.id[-1] in "02468" else RunStatus.CANCELLED
            await one.runs.save(replace(run, commit=COMMITS[0], status=status), [], a_claim())
    assert await agree(chance, stores, memory, runs) > 20


async def test_the_index_of_texts_follows_what_is_changed_and_removed(
    migrated_file: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(migrated_file, tmp_path / "daftray.db"))
    chance = Chance(0)
    async with opened(f"sqlite:///{path}") as (_, stores):
        runs = await filled(chance, stores)
        for run in await stores.runs.claim_due(a_claim(), limit=100):
            await stores.runs.save(replace(run, commit=COMMITS[1], status=RunStatus.FAILED), [], a_claim())
            stores_own = replace(run, commit=None, status=RunStatus.FAILED)
            await stores.runs.save(stores_own, [], a_claim())
        assert count_of(path) == len(runs)
        await stores.retention.remove_runs(timedelta(0), blobs=str, limit=5)
        await stores.projects.delete(PROJECTS[1])
        left = sum([len(await stores.runs.list(RunQuery(project=one, limit=200))) for one in PROJECTS])
        assert 0 < left < len(runs) - 10
        assert count_of(path) == left


def count_of(path: Path) -> int:
    """Let SQLite compare its index with the texts, and count them."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO run_search(run_search, rank) VALUES ('integrity-check', 1)")
        (count,) = connection.execute("SELECT count(*) FROM run_texts").fetchone()
        return count
