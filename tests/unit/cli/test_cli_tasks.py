"""``daftray tasks``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from factories import a_task
from msgspec.structs import asdict
from shell import Shell
from small_api import PROJECTS, SmallApi
from small_server import Answer, Asked, as_json, as_problem

from daftray.domain.spec import Entrypoint, Environment, FunctionEntrypoint, GitSource, Source
from daftray.domain.task import TaskView
from daftray.domain.trigger import CronTrigger, EventTrigger, Outlook, Trigger

P = ("--project", "scoring")
TASKS = f"{PROJECTS}/scoring/tasks"
NIGHTLY = f"{TASKS}/nightly"
CRON = Trigger(cron=CronTrigger(schedule="30 2 * * *", timezone="Europe/Berlin"))
TIMES = tuple(datetime.fromisoformat(f"2026-11-0{day}T02:30:00+01:00") for day in (2, 3, 4, 5, 6))
TASK = TaskView(
    **asdict(
        a_task(
            id="tsk_1",
            triggers=(CRON, Trigger(event=EventTrigger())),
            entrypoint=Entrypoint(function=FunctionEntrypoint(module="a.py", symbol="main", args=["old"])),
            environment=Environment(
                python_version="3.12", dependencies=["daft"], environment_variables={"A": "1", "B": "2"}
            ),
            timeout_s=3600,
            secret_names=("TOKEN",),
        )
    ),
    outlook=(Outlook(fires=False, detail="kept", next=TIMES), Outlook(fires=False, detail="not yet")),
)


@pytest.fixture
def tasks(api: SmallApi) -> SmallApi:
    api.server.on(f"GET {NIGHTLY}", as_json(TASK))
    api.server.on(f"GET {TASKS}", as_json({"tasks": [TASK]}))
    api.server.on(f"POST {TASKS}/tsk_1/runs", lambda _: as_json({"run": api.ended}, status=201))
    return api


def started(api: SmallApi) -> dict[str, Any]:
    (asked,) = api.server.requests(f"POST {TASKS}/tsk_1/runs")
    return asked.json


def test_a_run_is_saved(shell: Shell, tasks: SmallApi) -> None:
    tasks.server.on(f"POST {tasks.run}/save-as-task", as_json(TASK, status=201))
    assert shell.run("tasks", "save", "run_1", "--name", "nightly", *P) == 0
    (asked,) = tasks.server.requests(f"POST {tasks.run}/save-as-task")
    assert asked.json == {"name": "nightly"}
    assert shell.err == "Task nightly of project scoring is kept.\n"
    shell.run("tasks", "save", "run_1", "--name", "nightly", *P, "--json")
    assert shell.json["id"] == "tsk_1"


@pytest.mark.usefixtures("tasks")
def test_tasks_are_listed_with_their_next_time(shell: Shell) -> None:
    assert shell.run("tasks", "list", *P) == 0
    line = " ".join(shell.out.splitlines()[1].split())
    assert line.startswith("nightly a.py:main cron 30 2 * * * (Europe/Berlin), event 2026-11-02 01:30:00Z")
    shell.run("tasks", "list", *P, "--json")
    assert shell.json["tasks"][0]["id"] == "tsk_1"


def test_a_task_is_shown_with_five_times_in_its_own_zone(shell: Shell, tasks: SmallApi) -> None:
    assert shell.run("tasks", "show", "nightly", *P) == 0
    lines = [" ".join(line.split()) for line in shell.out.splitlines()]
    for line in ("name nightly", "variables A B", "secrets TOKEN", "timeouts run 1h", "ref main"):
        assert line in lines
    at = lines.index("1. cron 30 2 * * * (Europe/Berlin): kept")
    assert lines[at + 1 : at + 6] == [f"2026-11-0{day} 02:30+01:00" for day in (2, 3, 4, 5, 6)]
    assert lines[at + 6 :] == ["2. event: not yet"]
    tasks.server.on(f"GET {TASKS}/none", as_problem("task-not-found", 404, "none"))
    assert shell.run("tasks", "show", "none", *P) == 1
    assert "error[task-not-found]" in shell.err


def test_a_task_is_started_as_it_is_and_followed(shell: Shell, tasks: SmallApi) -> None:
    assert shell.run("tasks", "start", *P, "nightly") == 0
    assert started(tasks) == {}
    assert shell.out == "hello\nworld\n"
    assert "run run_1 of task nightly" in shell.err


def test_what_is_typed_goes_in_place_of_what_the_task_has(
    shell: Shell, tasks: SmallApi, tmp_path: Path
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("TOKEN=mine\n")
    options = ["--ref", "v1", "--env", "B=3", "--label", "a=b", "--retries", "0", "--timeout", "none"]
    options += ["--env-file", str(env_file), "--name", "now", "--runner", "native", "--budget", "usd=5"]
    assert shell.run("tasks", "start", *P, *options, "--detach", "nightly", "x", "--limit", "5") == 0
    body = started(tasks)
    assert body["entrypoint"]["function"] == {
        "module": "a.py",
        "symbol": "main",
        "args": ["x"],
        "kwargs": {"limit": "5"},
    }
    git = body["source"]["git"]
    assert (git["remote"], git["ref"]) == ("https://git.example/demo.git", "v1")
    assert body["environment"] == {
        "python_version": "3.12",
        "dependencies": ["daft"],
        "environment_variables": {"A": "1", "B": "3"},
    }
    assert (body["labels"], body["retries"], body["timeout_s"]) == ({"a": "b"}, None, None)
    assert (body["secrets"], body["name"], body["runner"]) == ({"TOKEN": "mine"}, "now", "native")
    assert body["budget"]["usd"] == 5
    assert shell.out == "run_1\n"


def test_dependencies_and_python_go_in_place_of_the_tasks(
    shell: Shell, tasks: SmallApi, tmp_path: Path
) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("polars\n")
    options = ["--dep", "httpx", "--deps-from", str(file), "--python", "3.13"]
    assert shell.run("tasks", "start", *P, *options, "--detach", "nightly") == 0
    environment = started(tasks)["environment"]
    assert (environment["python_version"], environment["dependencies"]) == ("3.13", ["polars", "httpx"])
    assert environment["environment_variables"] == {"A": "1", "B": "2"}
    assert "entrypoint" not in started(tasks)


def test_arguments_of_a_file_are_its_argv_and_misplaced_options_are_told(
    shell: Shell, tasks: SmallApi
) -> None:
    task = TaskView(
        **asdict(a_task(id="tsk_1", source=Source(git=GitSource(remote="", ref="main")))), outlook=()
    )
    tasks.server.on(f"GET {NIGHTLY}", as_json(task))
    assert shell.run("tasks", "start", *P, "--detach", "nightly", "--ref", "v1") == 0
    assert started(tasks) == {"entrypoint": {"file": {"file_path": "main.py", "argv": ["--ref", "v1"]}}}
    assert "put it before TASK" in shell.err


def test_a_tasks_runs_are_listed_and_a_task_is_removed(shell: Shell, tasks: SmallApi) -> None:
    tasks.server.on(f"GET {NIGHTLY}/runs", as_json({"runs": [tasks.ended], "next_cursor": None}))
    tasks.server.on(f"DELETE {NIGHTLY}", Answer(status=204))
    assert shell.run("tasks", "runs", "nightly", *P, "--limit", "3") == 0
    assert "run_1" in shell.out
    assert tasks.server.requests(f"GET {NIGHTLY}/runs")[0].query == {"limit": "3"}
    shell.run("tasks", "runs", "nightly", *P, "--json")
    assert shell.json["runs"][0]["id"] == "run_1"
    assert shell.run("tasks", "delete", "nightly", *P) == 0
    assert shell.err == "Task nightly of project scoring is removed.\n"


class Triggers:
    """Keeps what is set, as the server does."""

    def __init__(self, api: SmallApi) -> None:
        self.kept: list[Any] = [{"cron": {"schedule": "0 0 * * *"}}, {"endpoint": {}}]
        api.server.on(f"GET {NIGHTLY}/triggers", lambda _: self.answer())
        api.server.on(f"PUT {NIGHTLY}/triggers", self.set)

    def set(self, asked: Asked) -> Answer:
        self.kept = asked.json["triggers"]
        return self.answer()

    def answer(self) -> Answer:
        outlook = [{"fires": False, "detail": "kept", "next": []} for _ in self.kept]
        return as_json({"triggers": self.kept, "outlook": outlook})


def test_a_trigger_is_added_beside_the_others(shell: Shell, tasks: SmallApi) -> None:
    triggers = Triggers(tasks)
    words = ["--cron", "30 2 * * *", "--timezone", "Europe/Berlin"]
    assert shell.run("tasks", "add-trigger", "nightly", *words, *P) == 0
    assert triggers.kept[2] == {"cron": {"schedule": "30 2 * * *", "timezone": "Europe/Berlin"}}
    assert len(triggers.kept) == 3
    assert "3. cron 30 2 * * * (Europe/Berlin): kept" in shell.out
    for option, kept in (("--event", {"event": {}}), ("--endpoint", {"endpoint": {}})):
        shell.run("tasks", "add-trigger", "nightly", option, *P, "--json")
        assert triggers.kept[-1] == kept
        assert shell.json["triggers"][-1] == kept


@pytest.mark.parametrize(
    "words",
    [[], ["--event", "--endpoint"], ["--cron", "* * * * *", "--event"], ["--event", "--timezone", "X"]],
)
def test_a_trigger_is_exactly_one_thing(shell: Shell, tasks: SmallApi, words: list[str]) -> None:
    triggers = Triggers(tasks)
    assert shell.run("tasks", "add-trigger", "nightly", *words, *P) == 2
    assert len(triggers.kept) == 2


def test_a_trigger_is_taken_out_by_its_number(shell: Shell, tasks: SmallApi) -> None:
    triggers = Triggers(tasks)
    assert shell.run("tasks", "remove-trigger", "nightly", "3", *P) == 2
    assert "no number 3" in shell.err
    assert shell.run("tasks", "remove-trigger", "nightly", "1", *P) == 0
    assert triggers.kept == [{"endpoint": {}}]
    assert shell.err.endswith("is removed: cron 0 0 * * * (UTC).\n")
    shell.run("tasks", "remove-trigger", "nightly", "1", *P, "--json")
    assert shell.json == {"triggers": [], "outlook": []}
