"""What people do with runs: create, look, cancel, run again."""

from __future__ import annotations

from typing import Any

import pytest
from factories import COMMIT, a_project
from fake_ray import FakeRayJobs
from msgspec.structs import replace
from run_steps import ADMIN, ControlPlane

from daftray.domain.cluster import JobStatus
from daftray.domain.errors import (
    DaftrayError,
    DependenciesInvalidError,
    InvalidInputError,
    RunNotFoundError,
)
from daftray.domain.ports import RunQuery
from daftray.domain.spec import (
    Entrypoint,
    Environment,
    FileEntrypoint,
    FunctionEntrypoint,
    GitSource,
    ModuleEntrypoint,
    Source,
)
from daftray.domain.status import RunPhase, RunStatus
from daftray.projects.service import Project

OWN = "a-secret-of-the-run"


def a_file(path: str) -> Entrypoint:
    return Entrypoint(file=FileEntrypoint(file_path=path))


async def a_plane() -> ControlPlane:
    return await ControlPlane(rayjobs=FakeRayJobs((JobStatus.SUCCEEDED,))).open()


async def another_project(plane: ControlPlane) -> Project:
    project = a_project(id="prj_other", name="other")
    await plane.stores.projects.add(project)
    return project


async def test_a_new_run_is_kept_as_it_was_asked_for_and_due_at_once() -> None:
    plane = await a_plane()
    run = await plane.create(name="nightly", labels={"team": "a"}, secrets={"OWN": OWN})
    assert await plane.stores.runs.get(run.id) == run
    assert (run.status, run.phase, run.project) == (RunStatus.PENDING, RunPhase.PINNING, "prj_demo")
    assert (run.created_by, run.cluster, run.attempt, run.attempts) == (ADMIN.id, "local", 1, ())
    assert (run.name, run.labels, run.secret_names) == ("nightly", {"team": "a"}, ("OWN",))
    (event,) = await plane.runs.events(plane.project, run.id)
    assert (event.phase, event.detail) == (RunPhase.PINNING, "created")
    due = await plane.stores.runs.claim_due(plane.context.claim, limit=9)
    assert [one.id for one in due] == [run.id]


async def test_a_runs_own_secret_is_nowhere_but_in_its_sealed_form() -> None:
    plane = await a_plane()
    run = await plane.create(secrets={"OWN": OWN})
    assert OWN not in repr(run)
    (sealed,) = await plane.stores.secrets.list(run.id)
    assert OWN.encode() not in sealed.ciphertext
    assert await plane.secrets.own_of_run(run.id) == {"OWN": OWN}


async def test_dependencies_are_kept_in_their_normal_form() -> None:
    plane = await a_plane()
    run = await plane.create(environment=Environment(dependencies=["  Six >= 1 ", "daft[aws]"]))
    assert run.environment.dependencies == ["daft[aws]", "six>=1"]


@pytest.mark.parametrize(
    ("fields", "kind", "paths"),
    [
        ({"entrypoint": Entrypoint()}, InvalidInputError, ["entrypoint"]),
        (
            {
                "entrypoint": Entrypoint(
                    file=FileEntrypoint(file_path="a.py"), module=ModuleEntrypoint(module="a")
                )
            },
            InvalidInputError,
            ["entrypoint"],
        ),
        *(
            ({"entrypoint": a_file(path)}, InvalidInputError, ["entrypoint.file.file_path"])
            for path in ("../x.py", "/x.py", "a/../../x.py", "..", "a\0b.py")
        ),
        (
            {"entrypoint": Entrypoint(function=FunctionEntrypoint(module="../x.py", symbol="f"))},
            InvalidInputError,
            ["entrypoint.function.module"],
        ),
        (
            {"source": Source(git=GitSource(hash="abc1234", ref="main"))},
            InvalidInputError,
            ["source.git"],
        ),
        (
            {
                "environment": Environment(
                    environment_variables={"DAFTRAY_RUN_ID": "x", "FINE": "x", "NUL": "a\0b"}
                )
            },
            InvalidInputError,
            [
                "environment.environment_variables.DAFTRAY_RUN_ID",
                "environment.environment_variables.NUL",
            ],
        ),
        (
            {"environment": Environment(dependencies=["six", "-r x"])},
            DependenciesInvalidError,
            ["environment.dependencies[1]"],
        ),
        ({"environment": Environment(python_version="three")}, InvalidInputError, None),
        ({"secrets": {"PIN": "123", "FINE": "long-enough"}}, InvalidInputError, ["secrets.PIN"]),
        ({"secrets": {"DAFTRAY_RUN_TOKEN": "long-enough"}}, InvalidInputError, ["secrets.DAFTRAY_RUN_TOKEN"]),
    ],
)
async def test_what_cannot_be_a_run_is_refused_with_every_place_and_leaves_nothing(
    fields: dict[str, Any], kind: type[InvalidInputError], paths: list[str] | None
) -> None:
    plane = await a_plane()
    with pytest.raises(InvalidInputError) as error:
        await plane.create(**fields)
    assert error.type is kind
    assert paths is None or [issue.path for issue in error.value.issues] == paths
    assert await plane.runs.list(RunQuery(project="prj_demo")) == []
    assert plane.blobs.blobs == {}


@pytest.mark.parametrize("path", ["main.py", "a/b.py", "./a.py", "a..b/c.py", "a b.py", "ä.py"])
async def test_a_path_inside_the_repository_is_taken(path: str) -> None:
    plane = await a_plane()
    assert (await plane.create(entrypoint=a_file(path))).entrypoint == a_file(path)


async def test_a_run_of_another_project_is_no_run() -> None:
    plane = await a_plane()
    run = await plane.create()
    other = await another_project(plane)
    said: list[str] = []
    for run_id in (run.id, "run_none"):
        for call in (
            plane.runs.get(other, run_id),
            plane.runs.events(other, run_id),
            plane.runs.cancel(other, run_id),
            plane.runs.rerun(other, run_id, {}, ADMIN),
        ):
            with pytest.raises(RunNotFoundError) as error:
                await call
            said.append(error.value.detail.replace(run_id, "it"))
    assert (await plane.stores.runs.get(run.id)).cancel_requested_at is None
    assert said[:4] == said[4:], "the two cannot be told apart"


async def test_a_cancel_is_asked_for_once() -> None:
    plane = await a_plane()
    run = await plane.create()
    first = await plane.runs.cancel(plane.project, run.id)
    plane.clock.move(5)
    second = await plane.runs.cancel(plane.project, run.id)
    assert first.cancel_requested_at == second.cancel_requested_at is not None
    assert first.status is RunStatus.PENDING


async def test_what_people_ask_for_is_looked_at_now_and_not_at_the_next_poll() -> None:
    plane = await a_plane()
    woken: list[str] = []

    def wake(run_id: str) -> None:
        woken.append(run_id)

    plane.wake.run = wake
    run = await plane.create()
    await plane.runs.cancel(plane.project, run.id)
    assert woken == [run.id] * 2


async def test_a_run_that_has_ended_stays_as_it_ended() -> None:
    plane = await a_plane()
    done = await plane.until(await plane.create())
    after = await plane.runs.cancel(plane.project, done.id)
    assert (after.status, after.cancel_requested_at) == (RunStatus.SUCCEEDED, None)


async def test_a_rerun_is_of_the_same_commit_with_everything_that_was_asked() -> None:
    plane = await a_plane()
    asked: dict[str, Any] = {
        "entrypoint": Entrypoint(function=FunctionEntrypoint(module="m", symbol="f", kwargs={"n": 1})),
        "source": Source(git=GitSource(ref="main", patch="diff")),
        "environment": Environment(dependencies=["six"], environment_variables={"A": "b"}),
        "name": "nightly",
        "labels": {"team": "a"},
    }
    run = await plane.until(await plane.create(**asked, secrets={"OWN": OWN}), RunPhase.QUEUED)
    again = await plane.runs.rerun(plane.project, run.id, {}, ADMIN)
    assert again.source.git is not None
    assert (again.source.git.hash, again.source.git.ref, again.commit) == (COMMIT, None, None)
    assert run.source.git is not None
    assert again.source.git.patch == run.source.git.patch
    assert replace(again, source=run.source).environment == run.environment
    assert (again.entrypoint, again.name, again.labels) == (run.entrypoint, run.name, run.labels)
    assert (again.rerun_of, again.id != run.id) == (run.id, True)
    assert await plane.secrets.own_of_run(again.id) == {"OWN": OWN}


async def test_a_rerun_of_a_run_that_was_never_pinned_is_of_what_was_asked() -> None:
    plane = await a_plane()
    run = await plane.create(source=Source(git=GitSource(ref="next")))
    assert (await plane.runs.rerun(plane.project, run.id, {}, ADMIN)).source == run.source


async def test_what_is_overridden_is_overridden_and_secrets_one_by_one() -> None:
    plane = await a_plane()
    run = await plane.create(name="nightly", labels={"a": "b"}, secrets={"OWN": OWN, "BOTH": OWN})
    overrides = {
        "name": "again",
        "source": {"git": {"ref": "next"}},
        "secrets": {"BOTH": "newer-value", "NEW": "newer-value"},
    }
    again = await plane.runs.rerun(plane.project, run.id, overrides, ADMIN)
    assert again.source.git is not None
    assert (again.name, again.labels, again.source.git.ref) == ("again", {"a": "b"}, "next")
    assert await plane.secrets.own_of_run(again.id) == {
        "OWN": OWN, "BOTH": "newer-value", "NEW": "newer-value",
    }  # fmt: skip


@pytest.mark.parametrize(
    "overrides",
    [
        {"entrypoint": {"file": {"file_path": "../x"}}},
        {"entrypoint": None},
        {"entrypoint": {}},
        {"labels": {"a": 1}},
        {"environment": {"dependencies": ["-e ."]}},
        {"environment": {"environment_variables": {"DAFTRAY_ATTEMPT": "2"}}},
        {"secrets": {"not a name": "long-enough"}},
        {"secrets": {"PIN": "1"}},
        {"runner": "slurm"},
    ],
)
async def test_an_override_that_does_not_fit_makes_no_run(overrides: dict[str, Any]) -> None:
    plane = await a_plane()
    run = await plane.create(secrets={"OWN": OWN})
    with pytest.raises(InvalidInputError) as error:
        await plane.runs.rerun(plane.project, run.id, overrides, ADMIN)
    assert OWN not in error.value.detail
    assert [one.id for one in await plane.runs.list(RunQuery(project="prj_demo"))] == [run.id]


async def test_no_refusal_quotes_a_secret() -> None:
    plane = await a_plane()
    for secrets in ({"OWN": f"{OWN}\0"}, {"PIN": "sec", "OWN": OWN}):
        with pytest.raises(DaftrayError) as error:
            await plane.create(secrets=secrets)
        assert "sec" not in repr(error.value).replace("secret", "").replace("Secret", "")
