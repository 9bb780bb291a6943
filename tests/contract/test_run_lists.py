"""What every `RunStore` lists: newest first, by page, by every filter alone and together."""

from __future__ import annotations

import string
from typing import Any

import pytest
from factories import COMMIT, NOW, a_claim, a_project, a_run, at, new
from msgspec.structs import replace
from stores import Stores

from daftray.adapters.db import run_list
from daftray.domain.ports import RunQuery
from daftray.domain.run import Run
from daftray.domain.spec import Entrypoint, FileEntrypoint, ModuleEntrypoint
from daftray.domain.status import RunStatus


async def added(stores: Stores, seconds: float = 0, **fields: Any) -> Run:  # Any: any field of a run
    run = a_run(created_at=at(seconds), **fields)
    await stores.runs.add(new(run))
    return run


@pytest.fixture(params=["looking", "index"])
def by_index(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Find texts by looking through the newest runs, or all but one of them by the index of texts."""
    if request.param == "index":
        monkeypatch.setattr(run_list, "_LOOK", 1)


async def listed(stores: Stores, **query: Any) -> list[Run]:  # Any: any field of a query
    return await stores.runs.list(replace(RunQuery(project="prj_demo"), **query))


async def test_a_project_has_its_own_runs_newest_first(stores: Stores) -> None:
    await stores.projects.add(a_project(id="prj_other", name="other"))
    runs = [await added(stores, second, labels={"n": str(second)}) for second in (2, 1, 3)]
    await added(stores, 4, project="prj_other")
    assert await listed(stores) == [runs[2], runs[0], runs[1]]
    assert await listed(stores, project="prj_none") == []


async def test_pages_stay_put_while_runs_come_in(stores: Stores) -> None:
    runs = [await added(stores, second) for second in range(7)]
    seen: list[str] = []
    before = None
    for page in range(4):
        found = await listed(stores, limit=2, before=before)
        seen += [run.id for run in found]
        before = found[-1].id
        await added(stores, 100 + page)
    assert seen == [run.id for run in reversed(runs)]
    assert await listed(stores, limit=2, before=before) == []


async def test_an_offset_skips_runs(stores: Stores) -> None:
    runs = [await added(stores, second) for second in range(5)]
    assert await listed(stores, limit=2, offset=1) == [runs[3], runs[2]]
    assert await listed(stores, offset=5) == []


async def test_runs_of_one_millisecond_are_all_there_once(stores: Stores) -> None:
    runs = [await added(stores) for _ in range(9)]
    first = await listed(stores, limit=4)
    second = await listed(stores, limit=9, before=first[-1].id)
    assert [run.id for run in first + second] == sorted((run.id for run in runs), reverse=True)


@pytest.mark.parametrize("status", RunStatus)
async def test_by_status(stores: Stores, status: RunStatus) -> None:
    runs = [await added(stores, number, status=one) for number, one in enumerate(RunStatus)]
    assert await listed(stores, status=status) == [run for run in runs if run.status is status]


async def test_by_task(stores: Stores) -> None:
    of_task = [await added(stores, second, task="tsk_1") for second in range(2)]
    await added(stores, 2, task="tsk_2")
    await added(stores, 3)
    assert await listed(stores, task="tsk_1") == of_task[::-1]
    assert await listed(stores, task="tsk_1", status=RunStatus.FAILED) == []
    assert await listed(stores, task="tsk_none") == []


async def test_the_latest_of_many_tasks_at_once(stores: Stores) -> None:
    await stores.projects.add(a_project(id="prj_other", name="other"))
    runs = [await added(stores, second, task=f"tsk_{second % 3}") for second in range(9)]
    await added(stores, 9)
    await added(stores, 10, task="tsk_0", project="prj_other")
    tasks = ["tsk_0", "tsk_2", *(f"tsk_none_{number}" for number in range(250))]
    found = await stores.runs.latest_of_tasks("prj_demo", tasks, each=2)
    assert found.keys() == set(tasks)
    assert found["tsk_0"] == [runs[6], runs[3]]
    assert found["tsk_2"] == [runs[8], runs[5]]
    assert not any(found[task] for task in tasks[2:])
    assert await stores.runs.latest_of_tasks("prj_demo", [], each=2) == {}


async def test_by_trigger(stores: Stores) -> None:
    cron = await added(stores, trigger="cron")
    await added(stores)
    assert await listed(stores, trigger="cron") == [cron]


async def test_by_labels_that_must_all_fit(stores: Stores) -> None:
    both = await added(stores, 3, labels={"team": "a", "env": "prod"})
    one = await added(stores, 2, labels={"team": "a", "env": "test"})
    await added(stores, 1, labels={"env": "a", "team": "prod"})
    await added(stores, 0)
    assert await listed(stores, labels={"team": "a"}) == [both, one]
    assert await listed(stores, labels={"team": "a"}, limit=1, before=both.id) == [one]
    assert await listed(stores, labels={"team": "a", "env": "prod"}) == [both]
    assert await listed(stores, labels={"team": "a", "env": "prod", "more": ""}) == []
    assert await listed(stores, labels={"team": "A"}) == []


async def test_labels_are_any_text(stores: Stores) -> None:
    odd = {"": "", "a'b": '"; --', "ключ": "🌙", "%": "_"}
    run = await added(stores, labels=odd)
    assert await listed(stores, labels=odd) == [run]
    assert await listed(stores, labels={"%": "x"}) == []


@pytest.mark.usefixtures("by_index")
async def test_by_text_in_name_entrypoint_and_commit(stores: Stores) -> None:
    named = await added(stores, 3, name="Nightly ÄRGER")
    module = await added(stores, 2, entrypoint=Entrypoint(module=ModuleEntrypoint(module="jobs.Embed")))
    pinned = await added(stores, 1, commit=COMMIT)
    assert await listed(stores, text="nightly") == [named]
    assert await listed(stores, text="Ärger") == [named]
    assert await listed(stores, text="JOBS.EM") == [module]
    assert await listed(stores, text=COMMIT[3:12].upper()) == [pinned]
    assert await listed(stores, text="main.py") == [named, pinned]
    assert await listed(stores, text="") == [named, module, pinned]
    assert await listed(stores, text="nowhere") == []
    assert await listed(stores, text="x" * 100_000) == []


@pytest.mark.usefixtures("by_index")
async def test_a_commit_that_is_pinned_later_is_found_too(stores: Stores) -> None:
    run = await added(stores)
    await stores.runs.claim_due(a_claim(), limit=1)
    await stores.runs.save(replace(run, commit=COMMIT), [], a_claim())
    assert [one.id for one in await listed(stores, text=COMMIT)] == [run.id]


@pytest.mark.usefixtures("by_index")
async def test_signs_in_a_text_mean_themselves(stores: Stores) -> None:
    signs = [*sorted(set(string.punctuation) - {"."}), "🌙", "\x01", "\n"]
    runs = {sign: await added(stores, number, name=f"a{sign}b") for number, sign in enumerate(signs)}
    await added(stores, -1, name="axb")
    for sign, run in runs.items():
        assert await listed(stores, text=f"a{sign}b") == [run], sign


async def test_a_text_of_one_or_two_characters_is_found_too(stores: Stores) -> None:
    run = await added(stores, 1, name="夜間")
    await added(stores, 0, name="間夜")
    assert await listed(stores, text="夜間") == [run]
    assert len(await listed(stores, text="夜")) == 2
    assert await listed(stores, text="Ж") == []


async def test_by_time_of_creation(stores: Stores) -> None:
    runs = [await added(stores, second) for second in (0, 60, 60.001, 120)]
    assert await listed(stores, created_after=at(60)) == [runs[3], runs[2]]
    assert await listed(stores, created_before=at(60.001)) == [runs[1], runs[0]]
    assert await listed(stores, created_after=at(0), created_before=at(120)) == [runs[2], runs[1]]


async def test_times_at_the_ends_of_the_calendar(stores: Stores) -> None:
    run = await added(stores)
    first, last = NOW.min.replace(tzinfo=NOW.tzinfo), NOW.max.replace(tzinfo=NOW.tzinfo)
    assert await listed(stores, created_after=first, created_before=last) == [run]
    assert await listed(stores, created_before=first) == []
    assert await listed(stores, created_after=last) == []


@pytest.mark.usefixtures("by_index")
async def test_filters_narrow_each_other(stores: Stores) -> None:
    entrypoint = Entrypoint(file=FileEntrypoint(file_path="etl/load.py"))
    wanted = {"status": RunStatus.FAILED, "trigger": "cron", "labels": {"a": "1"}, "entrypoint": entrypoint}
    run = await added(stores, 50, **wanted)
    for other in ({"status": RunStatus.RUNNING}, {"trigger": "manual"}, {"labels": {"a": "2"}}):
        await added(stores, 50, **{**wanted, **other})
    await added(stores, 10, **wanted)
    query = {"status": RunStatus.FAILED, "trigger": "cron", "labels": {"a": "1"}, "text": "etl/"}
    assert await listed(stores, **query, created_after=at(20)) == [run]
