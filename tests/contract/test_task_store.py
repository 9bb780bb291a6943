"""What every `TaskStore` and every `IntegrationStore` does."""

from __future__ import annotations

import pytest
from factories import NOW, a_project, a_run, a_secret, a_task, at, new
from msgspec.structs import replace
from stores import Stores

from daftray.domain.errors import (
    IntegrationNotFoundError,
    NameTakenError,
    ProjectNotFoundError,
    TaskNotFoundError,
)
from daftray.domain.integration import GithubInstallation, Integration
from daftray.domain.spec import Entrypoint, Environment, FunctionEntrypoint, Retries
from daftray.domain.status import RunStatus
from daftray.domain.task import KeptTask
from daftray.domain.trigger import CronTrigger, EndpointTrigger, Trigger

TRIGGERS = (
    Trigger(cron=CronTrigger(schedule="0 2 * * *", timezone="Europe/Berlin")),
    Trigger(endpoint=EndpointTrigger()),
)


def kept(**fields: object) -> KeptTask:
    return KeptTask(task=a_task(**fields))


async def test_a_task_is_kept_whole_and_found_by_id_and_by_name(stores: Stores) -> None:
    task = a_task(
        name="Nightly scoring, ж",
        entrypoint=Entrypoint(function=FunctionEntrypoint(module="a.b", symbol="f", kwargs={"n": [1, None]})),
        environment=Environment(dependencies=["daft>=0.7"], environment_variables={"A": "\0"}),
        labels={"team": "ml"},
        retries=Retries(max=2),
        triggers=TRIGGERS,
        secret_names=("TOKEN",),
    )
    await stores.tasks.add(KeptTask(task=task))
    assert await stores.tasks.get("prj_demo", task.id) == task
    assert await stores.tasks.get("prj_demo", task.name) == task
    for project, name in (("prj_demo", "nightly"), ("prj_other", task.id), ("prj_other", task.name)):
        with pytest.raises(TaskNotFoundError):
            await stores.tasks.get(project, name)


async def test_an_id_wins_over_a_name(stores: Stores) -> None:
    first = a_task(name="first")
    await stores.tasks.add(KeptTask(task=first))
    await stores.tasks.add(kept(name=first.id))
    assert await stores.tasks.get("prj_demo", first.id) == first


async def test_a_project_lists_its_own_by_name(stores: Stores) -> None:
    await stores.projects.add(a_project(id="prj_other", name="other"))
    for name in ("b", "a", "C"):
        await stores.tasks.add(kept(name=name))
    await stores.tasks.add(kept(project="prj_other", name="a"))
    names = [task.name for task in await stores.tasks.list("prj_demo", limit=10, offset=0)]
    assert names == ["C", "a", "b"]
    assert [task.name for task in await stores.tasks.list("prj_demo", limit=1, offset=1)] == ["a"]


async def test_a_name_is_taken_once_in_a_project(stores: Stores) -> None:
    await stores.tasks.add(kept(name="a"))
    other = a_task(name="b")
    await stores.tasks.add(KeptTask(task=other))
    with pytest.raises(NameTakenError):
        await stores.tasks.add(kept(name="a"))
    with pytest.raises(NameTakenError):
        await stores.tasks.save(KeptTask(task=replace(other, name="a")))
    assert (await stores.tasks.get("prj_demo", other.id)).name == "b"


async def test_a_task_needs_its_project(stores: Stores) -> None:
    with pytest.raises(ProjectNotFoundError):
        await stores.tasks.add(kept(project="prj_none"))


async def test_a_saved_task_keeps_who_made_it(stores: Stores) -> None:
    task = a_task()
    await stores.tasks.add(KeptTask(task=task))
    changed = replace(task, name="weekly", triggers=TRIGGERS, updated_at=at(5))
    await stores.tasks.save(KeptTask(task=replace(changed, created_by="key_other", created_at=at(9))))
    assert await stores.tasks.get("prj_demo", "weekly") == changed
    for missing in (a_task(name="none"), replace(task, project="prj_other")):
        with pytest.raises(TaskNotFoundError):
            await stores.tasks.save(KeptTask(task=missing))


async def test_its_secrets_come_and_go_with_it(stores: Stores) -> None:
    task = a_task()
    first, second = a_secret(owner=task.id, name="A"), a_secret(owner=task.id, name="B")
    await stores.tasks.add(KeptTask(task=task, secrets=(first,)))
    await stores.tasks.save(KeptTask(task=task))
    assert await stores.secrets.list(task.id) == [first]
    await stores.tasks.save(KeptTask(task=task, secrets=(second,)))
    assert await stores.secrets.list(task.id) == [second]
    await stores.tasks.delete("prj_demo", task.id)
    assert await stores.secrets.list(task.id) == []


async def test_runs_keep_the_id_of_a_task_that_is_gone(stores: Stores) -> None:
    task = a_task()
    await stores.tasks.add(KeptTask(task=task))
    run = a_run(task=task.id, status=RunStatus.SUCCEEDED)
    await stores.runs.add(new(run))
    with pytest.raises(TaskNotFoundError):
        await stores.tasks.delete("prj_other", task.id)
    await stores.tasks.delete("prj_demo", task.id)
    assert (await stores.runs.get(run.id)).task == task.id
    with pytest.raises(TaskNotFoundError):
        await stores.tasks.delete("prj_demo", task.id)


async def test_tasks_go_with_their_project(stores: Stores) -> None:
    task = a_task()
    await stores.tasks.add(KeptTask(task=task, secrets=(a_secret(owner=task.id),)))
    await stores.projects.delete("prj_demo")
    assert await stores.secrets.list(task.id) == []
    with pytest.raises(TaskNotFoundError):
        await stores.tasks.get("prj_demo", task.id)


def an_integration(number: int, workspace: str = "default") -> Integration:
    return Integration(
        id=f"itg_{workspace}_{number}",
        workspace=workspace,
        github=GithubInstallation(installation_id=number),
        created_by="key_admin",
        created_at=NOW,
    )


async def test_an_integration_is_recorded_once_for_each_workspace(stores: Stores) -> None:
    first = an_integration(1)
    assert await stores.integrations.add(first) == first
    assert await stores.integrations.add(replace(first, id="itg_again")) == first
    other = an_integration(1, "wsp_2")
    await stores.integrations.add(other)
    second = await stores.integrations.add(an_integration(2))
    assert await stores.integrations.list("default") == [first, second]
    assert await stores.integrations.workspaces(1) == ["default", "wsp_2"]
    assert await stores.integrations.workspaces(3) == []


async def test_an_integration_is_taken_out_of_its_workspace_alone(stores: Stores) -> None:
    first, other = an_integration(2**40), an_integration(2**40, "wsp_2")
    await stores.integrations.add(first)
    await stores.integrations.add(other)
    assert await stores.integrations.delete("default", 2**40) == first
    assert await stores.integrations.list("default") == []
    assert await stores.integrations.workspaces(2**40) == ["wsp_2"]
    with pytest.raises(IntegrationNotFoundError):
        await stores.integrations.delete("default", 2**40)
