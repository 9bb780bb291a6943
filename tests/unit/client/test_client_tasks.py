"""Calls on tasks, entrypoints and integrations: method, path, body, and what comes back."""

from __future__ import annotations

import json
from typing import Any

import httpx
import msgspec
import pytest
from factories import NOW, a_run, a_task
from msgspec.structs import asdict

from daftray import Client
from daftray.client import Retry
from daftray.domain.errors import InvalidInputError
from daftray.domain.integration import GithubInstallation, Integration
from daftray.domain.signature import EntrypointListing, SourceListing
from daftray.domain.spec import Environment
from daftray.domain.task import TaskView
from daftray.domain.trigger import CronTrigger, Outlook, Trigger

BASE = "/v1/workspaces/default"
TASKS = f"{BASE}/projects/demo/tasks"
TASK = TaskView(**asdict(a_task(id="tsk_1")))
CRON = Trigger(cron=CronTrigger(schedule="30 2 * * *"))


class Wire:
    """Takes each request in place of a network, and gives one answer to all."""

    def __init__(self, answer: object = None, status: int = 200) -> None:
        self.answer = httpx.Response(status, content=msgspec.json.encode(answer))
        self.asked: list[httpx.Request] = []
        transport = httpx.MockTransport(self)
        self.client = Client(
            "https://x.example", "key", project="demo", retry=Retry(base_s=0), transport=transport
        )

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer

    @property
    def line(self) -> str:
        return f"{self.asked[-1].method} {self.asked[-1].url.raw_path.decode()}"

    @property
    def body(self) -> Any:  # any JSON
        return json.loads(self.asked[-1].content)


def test_a_task_is_made_and_replaced_as_a_whole() -> None:
    wire = Wire(TASK)
    fields: Any = {"environment": Environment(dependencies=["daft"]), "retries": 2, "timeout_s": 60.0}
    assert wire.client.tasks.create("nightly", "a.py:main", triggers=[CRON], **fields) == TASK
    assert wire.line == f"POST {TASKS}"
    assert wire.body["name"] == "nightly"
    assert wire.body["entrypoint"] == {
        "function": {"module": "a.py", "symbol": "main", "args": None, "kwargs": None}
    }
    assert wire.body["triggers"] == [{"cron": {"schedule": "30 2 * * *"}}]
    assert (wire.body["retries"]["max"], wire.body["timeout_s"]) == (2, 60)
    assert "secrets" not in wire.body
    wire.client.tasks.replace(TASK, "weekly", "a.py")
    assert wire.line == f"PUT {TASKS}/tsk_1"
    assert wire.body == {
        "name": "weekly",
        "entrypoint": {"file": {"file_path": "a.py", "argv": None}},
        "triggers": [],
    }


def test_only_what_is_given_of_a_task_is_changed() -> None:
    wire = Wire(TASK)
    wire.client.tasks.update("a name", retries=None, budget=None, priority=3)
    assert wire.line == f"PATCH {TASKS}/a%20name"
    assert wire.body == {"retries": None, "budget": None, "priority": 3}
    wire.client.tasks.update(TASK, entrypoint="b.py", triggers=[CRON])
    assert wire.body["entrypoint"] == {"file": {"file_path": "b.py", "argv": None}}


def test_a_run_is_saved_as_a_task() -> None:
    wire = Wire(TASK)
    assert wire.client.tasks.save(a_run(id="run_1"), "nightly") == TASK
    assert wire.line == f"POST {BASE}/projects/demo/runs/run_1/save-as-task"
    assert wire.body == {"name": "nightly"}


def test_a_task_is_started_once_with_overrides() -> None:
    run = a_run()
    wire = Wire({"run": run})
    assert wire.client.tasks.start("nightly", idempotency_key="k", labels={"a": "b"}, retries=0) == run
    assert wire.line == f"POST {TASKS}/nightly/runs"
    assert wire.body == {"labels": {"a": "b"}, "retries": None}
    assert wire.asked[-1].headers["idempotency-key"] == "k"
    wire.client.tasks.start("nightly")
    assert wire.body == {}
    with pytest.raises(InvalidInputError, match="timeout_s"):
        wire.client.tasks.start("nightly", timeout_s=float("inf"))


def test_a_start_that_nobody_answers_is_repeated_under_one_key() -> None:
    wire = Wire(status=503)
    with pytest.raises(Exception, match="503"):
        wire.client.tasks.start("nightly")
    assert len({request.headers["idempotency-key"] for request in wire.asked}) == 1
    assert len(wire.asked) == 3


def test_tasks_are_listed_shown_and_removed() -> None:
    wire = Wire({"tasks": [TASK]})
    assert wire.client.tasks.list() == [TASK]
    assert wire.line == f"GET {TASKS}?limit=200&offset=0"
    wire = Wire({"tasks": [TaskView(**asdict(a_task(id=f"tsk_{n}"))) for n in range(200)]})
    assert len(wire.client.tasks.list()) == 200
    assert len(wire.asked) == 2
    wire = Wire(TASK)
    assert wire.client.tasks.get("a/b") == TASK
    assert wire.line == f"GET {TASKS}/a%2Fb"
    wire.client.tasks.delete(TASK)
    assert wire.line == f"DELETE {TASKS}/tsk_1"
    wire = Wire({"runs": [a_run()], "next_cursor": "c"})
    assert wire.client.tasks.runs("nightly", limit=1).next_cursor == "c"
    assert wire.line == f"GET {TASKS}/nightly/runs?limit=1"


def test_triggers_are_shown_and_set() -> None:
    outlook = Outlook(fires=False, detail="not yet", next=(NOW,))
    wire = Wire({"triggers": [CRON], "outlook": [outlook]})
    assert wire.client.tasks.triggers("nightly").outlook == [outlook]
    assert wire.line == f"GET {TASKS}/nightly/triggers"
    assert wire.client.tasks.set_triggers("nightly", [CRON]).triggers == [CRON]
    assert wire.line == f"PUT {TASKS}/nightly/triggers"
    assert wire.body == {"triggers": [{"cron": {"schedule": "30 2 * * *"}}]}


def test_entrypoints_are_files_or_what_a_file_holds() -> None:
    files = SourceListing(commit="c", files=["a.py"], truncated=False)
    wire = Wire(files)
    assert wire.client.entrypoints(ref="v1") == files
    assert wire.line == f"GET {BASE}/projects/demo/entrypoints?ref=v1"
    found = EntrypointListing(commit="c", path="a.py", callables=[], truncated=True)
    wire = Wire(found)
    assert wire.client.entrypoints("a.py") == found
    assert wire.line == f"GET {BASE}/projects/demo/entrypoints?path=a.py"


def test_integrations_are_added_listed_and_taken_out() -> None:
    kept = Integration(
        id="int_1",
        workspace="default",
        github=GithubInstallation(installation_id=7),
        created_by="key_1",
        created_at=NOW,
    )
    wire = Wire(kept)
    assert wire.client.integrations.add(7) == kept
    assert (wire.line, wire.body) == (f"POST {BASE}/integrations", {"github": {"installation_id": 7}})
    wire.client.integrations.remove(7)
    assert (wire.line, wire.body) == (f"DELETE {BASE}/integrations", {"github": {"installation_id": 7}})
    assert Wire({"integrations": [kept]}).client.integrations.list() == [kept]
