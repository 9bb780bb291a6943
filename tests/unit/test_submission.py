"""A run as Ray takes it: what is in it, and what must never be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from daftray.domain.cluster import Package
from daftray.domain.errors import InvalidInputError
from daftray.domain.run import Run
from daftray.domain.spec import Entrypoint, Environment, FunctionEntrypoint, Resources
from daftray.runtime_env.submission import RESERVED_VARIABLES, build

AT = datetime(2030, 1, 2, tzinfo=UTC)
PACKAGE = Package(name="aa.zip", path=Path("aa.zip"), size=1)
RUNNER = Package(name="bb.zip", path=Path("bb.zip"), size=1)


def make_run(**changes: object) -> Run:
    function = FunctionEntrypoint(module="main.py", symbol="go", kwargs={"key": "an argument"})
    run = Run(
        id="run_1",
        project="prj_1",
        cluster="default",
        created_by="key_1",
        created_at=AT,
        phase_since=AT,
        attempt=2,
        entrypoint=Entrypoint(function=function),
    )
    return msgspec.structs.replace(run, **changes)


def submit(run: Run, installer: Literal["uv", "pip"] = "uv"):
    return build(
        run,
        package=PACKAGE,
        runner=RUNNER,
        report_url="http://127.0.0.1:1",
        run_token="canary",
        installer=installer,
    )


def variables(run: Run) -> dict[str, str]:
    return msgspec.convert(submit(run).runtime_env["env_vars"], dict[str, str])


def test_a_plain_run():
    job = submit(make_run())
    assert job.submission_id == "run_1-2"
    assert job.entrypoint == "python -P -m _daftray_boot"
    assert job.metadata == {"daftray_run_id": "run_1", "daftray_project": "prj_1"}
    assert (job.num_cpus, job.num_gpus, job.memory) == (None, None, None)
    assert job.runtime_env == {
        "working_dir": "gcs://aa.zip",
        "py_modules": ["gcs://bb.zip"],
        "env_vars": {
            "PYTHONUNBUFFERED": "1",
            "RAY_DEDUP_LOGS": "0",
            "RAY_COLOR_PREFIX": "0",
            "RAY_OVERRIDE_JOB_RUNTIME_ENV": "1",
            "DAFT_RUNNER": "ray",
            "DAFTRAY_RUN_ID": "run_1",
            "DAFTRAY_ATTEMPT": "2",
            "DAFTRAY_REPORT_URL": "http://127.0.0.1:1",
            "DAFTRAY_RUN_TOKEN": "canary",
        },
    }


def test_arguments_are_nowhere_and_the_token_is_in_one_variable_only():
    text = msgspec.json.encode(submit(make_run())).decode()
    assert "an argument" not in text
    assert text.count("canary") == 1


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_dependencies_go_to_the_installer(installer: Literal["uv", "pip"]):
    job = submit(make_run(environment=Environment(dependencies=["a==1", "b"])), installer=installer)
    assert job.runtime_env[installer] == {"packages": ["a==1", "b"]}
    assert len({"uv", "pip"} & job.runtime_env.keys()) == 1


def test_the_runs_own_variables_win_over_defaults():
    asked = {"DAFT_RUNNER": "native", "PYTHONUNBUFFERED": "0", "RAY_DEDUP_LOGS": "1", "MINE": "x"}
    found = variables(make_run(environment=Environment(environment_variables=asked)))
    assert {name: found[name] for name in asked} == asked


def test_the_native_runner_is_asked_for_by_the_run():
    assert variables(make_run(runner="native"))["DAFT_RUNNER"] == "native"


@pytest.mark.parametrize("name", sorted(RESERVED_VARIABLES))
def test_a_variable_of_daftrays_own_is_refused(name: str):
    with pytest.raises(InvalidInputError) as caught:
        submit(make_run(environment=Environment(environment_variables={name: "x"})))
    assert [issue.path for issue in caught.value.issues] == [f"environment.environment_variables.{name}"]


def test_name_and_resources_are_passed_on():
    job = submit(make_run(name="nightly", resources=Resources(num_cpus=0.5, num_gpus=1, memory=1024)))
    assert (job.num_cpus, job.num_gpus, job.memory) == (0.5, 1, 1024)
    assert job.metadata["daftray_run_name"] == "nightly"
