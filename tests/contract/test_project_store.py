"""What every `ProjectStore` does."""

from __future__ import annotations

import pytest
from factories import (
    a_claim,
    a_counter,
    a_finished,
    a_key,
    a_problem_report,
    a_project,
    a_run,
    a_sample,
    a_secret,
    a_user,
    an_event,
    new,
)
from msgspec.structs import replace
from stores import Stores

from daftray.domain.errors import ConflictError, NameTakenError, ProjectNotFoundError, RunNotFoundError
from daftray.domain.ports import NewRun
from daftray.domain.principal import Role
from daftray.domain.project import GitRemote, ProjectSource
from daftray.domain.result import RunResult
from daftray.domain.status import RunPhase, RunStatus
from daftray.domain.user import Membership


async def test_a_project_is_found_by_id_and_by_name_in_its_workspace(stores: Stores) -> None:
    source = ProjectSource(github=GitRemote(remote="https://github.com/a/b", branch="trunk", credential="T"))
    project = a_project(name="etl", source=source)
    await stores.projects.add(project)
    assert await stores.projects.get("default", project.id) == project
    assert await stores.projects.get("default", "etl") == project
    assert await stores.projects.by_id(project.id) == project
    for workspace, name in (("other", "etl"), ("other", project.id), ("default", "ETL"), ("default", "")):
        with pytest.raises(ProjectNotFoundError):
            await stores.projects.get(workspace, name)
    with pytest.raises(ProjectNotFoundError):
        await stores.projects.by_id("etl")


async def test_an_id_wins_over_a_name_that_looks_like_it(stores: Stores) -> None:
    mean = a_project(name="prj_demo")
    await stores.projects.add(mean)
    assert (await stores.projects.get("default", "prj_demo")).id == "prj_demo"
    assert (await stores.projects.get("default", mean.id)) == mean


async def test_a_name_is_one_projects_of_a_workspace(stores: Stores) -> None:
    await stores.projects.add(a_project(name="one"))
    two = a_project(name="two")
    await stores.projects.add(two)
    with pytest.raises(NameTakenError):
        await stores.projects.add(a_project(name="one"))
    with pytest.raises(NameTakenError):
        await stores.projects.save(replace(two, name="one"))
    await stores.projects.add(a_project(name="one", workspace="other"))
    assert await stores.projects.by_id(two.id) == two


async def test_projects_are_listed_by_name_as_code_points(stores: Stores) -> None:
    for name in ("b", "a", "B", "a-1", "a.1", "a_1"):
        await stores.projects.add(a_project(name=name))
    await stores.projects.add(a_project(name="c", workspace="other"))
    names = [one.name for one in await stores.projects.list("default", limit=9, offset=0)]
    assert names == sorted(["b", "a", "B", "a-1", "a.1", "a_1", "demo"])
    page = await stores.projects.list("default", limit=2, offset=1)
    assert [one.name for one in page] == names[1:3]


async def test_a_saved_project_keeps_what_is_its_own(stores: Stores) -> None:
    before = a_project(name="x")
    await stores.projects.add(before)
    source = ProjectSource(git=GitRemote(remote="/srv/x", branch="dev"))
    await stores.projects.save(replace(before, name="y", source=source, workspace="other"))
    assert await stores.projects.by_id(before.id) == replace(before, name="y", source=source)
    await stores.projects.save(await stores.projects.by_id(before.id))
    with pytest.raises(ProjectNotFoundError):
        await stores.projects.save(a_project(name="z"))


async def test_a_project_goes_with_all_that_hangs_on_it(stores: Stores) -> None:
    project = a_project(name="x")
    await stores.projects.add(project)
    run = a_run(project=project.id, status=RunStatus.FAILED, phase=RunPhase.DONE, labels={"a": "b"})
    other = a_run(labels={"a": "b"})
    for one in (run, other):
        await stores.runs.add(NewRun(run=one, event=an_event(), secrets=(a_secret(owner=one.id),)))
    for one in (run, other):
        await stores.reports.finished(one.id, a_finished(), a_problem_report(samples=(a_sample(),)))
        await stores.reports.put_result(one.id, RunResult(kind="omitted", note="none"))
        await stores.reports.count(one.id, 1, [a_counter()])
    for owner in (project.id, "prj_demo"):
        await stores.secrets.put(a_secret(owner=owner))

    await stores.projects.delete(project.id)

    with pytest.raises(ProjectNotFoundError):
        await stores.projects.by_id(project.id)
    with pytest.raises(RunNotFoundError):
        await stores.runs.get(run.id)
    for owner, left in ((project.id, 0), (run.id, 0), (other.id, 1), ("prj_demo", 1)):
        assert len(await stores.secrets.list(owner)) == left
    for one, left in ((run, 0), (other, 1)):
        assert len(await stores.runs.events(one.id)) == left
        assert len(await stores.problems.problems(one.id)) == left
        assert len(await stores.reports.totals(one.id)) == left
        assert (await stores.reports.result(one.id) is not None) == bool(left)
        assert ((await stores.reports.reports(one.id, 1)).finished is not None) == bool(left)
    assert [one.id for one in await stores.runs.claim_due(a_claim(), limit=9)] == [other.id]


async def test_a_project_stays_while_a_run_of_it_goes_on(stores: Stores) -> None:
    run = a_run()
    await stores.runs.add(new(run))
    with pytest.raises(ConflictError):
        await stores.projects.delete("prj_demo")
    assert await stores.runs.get(run.id) == run


async def test_a_project_that_is_gone_is_fine_to_delete(stores: Stores) -> None:
    await stores.projects.delete("prj_none")


async def test_a_list_may_be_of_some_projects_alone(stores: Stores) -> None:
    for name in ("b", "a", "c"):
        await stores.projects.add(a_project(id=f"prj_{name}", name=name))
    only = frozenset({"prj_a", "prj_c", "prj_none"})
    found = [await stores.projects.list("default", limit=1, offset=offset, only=only) for offset in range(3)]
    assert [[one.name for one in page] for page in found] == [["a"], ["c"], []]
    assert await stores.projects.list("default", limit=9, offset=0, only=frozenset()) == []


async def test_roles_and_keys_of_a_project_go_with_it(stores: Stores) -> None:
    user = a_user()
    await stores.users.add(user)
    for project in ("prj_demo", None):
        await stores.memberships.put(
            Membership(user_id=user.id, workspace="default", project=project, role=Role.VIEWER)
        )
        await stores.keys.add(a_key(id=f"key_{project}", project=project))
    await stores.projects.delete("prj_demo")
    assert [one.project for one in await stores.memberships.of_user(user.id)] == [None]
    assert [key.id for key in await stores.keys.list("default")] == ["key_None"]
