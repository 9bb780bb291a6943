"""Each call of the client against what the API's page says: method, path, body, and what comes back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from factories import NOW, a_problem, a_project, a_run

from daftray import AsyncClient, Client
from daftray.client import AnswerNotUnderstoodError, NotConfiguredError, Retry
from daftray.client.answers import ProblemsAnswer
from daftray.domain.errors import InvalidInputError, RunNotFoundError
from daftray.domain.metrics import RunMetrics
from daftray.domain.problem import ProblemComparison, ProblemDetail
from daftray.domain.result import RunResult
from daftray.domain.run import RunEvent
from daftray.domain.spec import Entrypoint, Environment, FileEntrypoint, GitSource, Source
from daftray.domain.status import RunPhase, RunStatus

BASE = "/v1/workspaces/default/projects"
RUNS = f"{BASE}/demo/runs"
RUN = a_run(id="run_1")


class Wire:
    """Takes each request in place of a network, and gives one answer to all."""

    def __init__(self, answer: object = None, status: int = 200, content: bytes | None = None) -> None:
        self.content = msgspec.json.encode(answer) if content is None else content
        self.status = status
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return httpx.Response(self.status, content=self.content)

    @property
    def request(self) -> httpx.Request:
        (request,) = self.asked
        return request

    @property
    def line(self) -> str:
        return f"{self.request.method} {self.request.url.raw_path.decode()}"

    @property
    def body(self) -> Any:  # any JSON
        return json.loads(self.request.content)


def client_on(wire: Callable[[httpx.Request], httpx.Response], project: str | None = "demo") -> Client:
    transport = httpx.MockTransport(wire)
    return Client("https://x.example", "key", project=project, retry=Retry(base_s=0), transport=transport)


def test_every_call_carries_the_key_and_who_is_calling() -> None:
    wire = Wire(RUN)

    client_on(wire).runs.get(RUN)

    assert wire.request.headers["authorization"] == "Bearer key"
    assert wire.request.headers["user-agent"].startswith("daftray/")
    assert wire.request.extensions["timeout"]["read"] == 30


def test_create_sends_what_a_run_is() -> None:
    wire = Wire({"run": RUN}, status=201)

    created = client_on(wire).runs.create(
        "pipelines/score.py:main",
        args=["a"],
        kwargs={"limit": 3},
        hash="abc",
        bundle=b"\x00bundle",
        patch=b"diff",
        environment=Environment(python_version="3.12", dependencies=["daft"]),
        secrets={"TOKEN": "t"},
        name="nightly",
        labels={"team": "search"},
        runner="native",
        idempotency_key="once",
    )

    assert created == RUN
    assert wire.line == f"POST {RUNS}"
    assert wire.request.headers["idempotency-key"] == "once"
    body = wire.body
    assert body["entrypoint"] == {
        "function": {
            "module": "pipelines/score.py",
            "symbol": "main",
            "args": ["a"],
            "kwargs": {"limit": 3},
        }
    }
    git = {"remote": "", "hash": "abc", "ref": None, "patch": "diff"}
    assert body["source"] == {"git": {**git, "bundle": base64.b64encode(b"\x00bundle").decode()}}
    assert body["environment"]["dependencies"] == ["daft"]
    assert (body["secrets"], body["labels"]) == ({"TOKEN": "t"}, {"team": "search"})
    assert (body["name"], body["runner"]) == ("nightly", "native")


def test_create_without_a_source_means_the_projects_branch() -> None:
    wire = Wire({"run": RUN})

    client_on(wire).runs.create(Entrypoint(file=FileEntrypoint(file_path="a.py")), args=[1, "b"])

    assert wire.body["source"] == {}
    assert wire.body["entrypoint"] == {"file": {"file_path": "a.py", "argv": ["1", "b"]}}


def test_only_functions_take_keywords() -> None:
    with pytest.raises(InvalidInputError, match="Only a function"):
        client_on(Wire()).runs.create("a.py", kwargs={"x": 1})


def test_list_asks_for_what_is_meant() -> None:
    wire = Wire({"runs": [RUN], "next_cursor": "c", "page": 1, "page_size": 1})

    page = client_on(wire).runs.list(
        status=RunStatus.FAILED,
        labels={"a": "b=c", "d": "e"},
        q="x y",
        created_after=datetime(2030, 1, 2, tzinfo=UTC),
        limit=1,
        cursor="d",
    )

    assert list(page) == [RUN]
    assert (len(page), page.next_cursor) == (1, "c")
    assert wire.request.url.params.multi_items() == [
        ("status", "failed"),
        ("q", "x y"),
        ("created_after", "2030-01-02T00:00:00+00:00"),
        ("limit", "1"),
        ("cursor", "d"),
        ("label", "a=b=c"),
        ("label", "d=e"),
    ]


def test_iterate_goes_from_page_to_page() -> None:
    runs = [a_run() for _ in range(5)]

    def pages(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("cursor", "0"))
        following = str(start + 2) if start + 2 < len(runs) else None
        body = {"runs": runs[start : start + 2], "next_cursor": following}
        return httpx.Response(200, content=msgspec.json.encode(body))

    assert list(client_on(pages).runs.iterate(page_size=2)) == runs


def test_iterate_ends_where_a_server_gives_the_same_page_again() -> None:
    wire = Wire({"runs": [RUN], "next_cursor": "same"})

    assert len(list(client_on(wire).runs.iterate())) == 2


def test_rerun_sends_only_what_is_different() -> None:
    wire = Wire({"run": RUN})
    source = Source(git=GitSource(ref="v2"))

    client_on(wire).runs.rerun("run_1", entrypoint="a.py", source=source, secrets={"A": "b"})

    assert wire.line == f"POST {RUNS}/run_1/rerun"
    assert wire.body == {
        "entrypoint": {"file": {"file_path": "a.py", "argv": None}},
        "source": {"git": {"remote": "", "hash": "", "ref": "v2", "bundle": None, "patch": None}},
        "secrets": {"A": "b"},
    }


EVENT = RunEvent(at=NOW, from_=RunStatus.PENDING, to=RunStatus.RUNNING, phase=RunPhase.RUNNING)
PROJECT = a_project()
PROBLEM = a_problem()
DETAIL = ProblemDetail(problems=[PROBLEM], samples=[])
COMPARED = ProblemComparison(run="o", new=[PROBLEM], seen=[], gone=[])
NEWS = ProblemsAnswer(problems=[], comparison=COMPARED)


@pytest.mark.parametrize(
    ("call", "line", "answer", "result"),
    [
        (lambda c: c.runs.get("a/b"), f"GET {RUNS}/a%2Fb", RUN, RUN),
        (lambda c: c.runs.cancel(RUN), f"POST {RUNS}/{RUN.id}/cancel", {"run": RUN}, RUN),
        (lambda c: c.runs.result("r"), f"GET {RUNS}/r/results", {"a": [1]}, {"a": [1]}),
        (
            lambda c: c.runs.result_preview("r"),
            f"GET {RUNS}/r/results/preview",
            RunResult(kind="omitted", note="n"),
            RunResult(kind="omitted", note="n"),
        ),
        (lambda c: c.runs.problems("r"), f"GET {RUNS}/r/problems", {"problems": [PROBLEM]}, [PROBLEM]),
        (lambda c: c.runs.problems("r", attempt=2), f"GET {RUNS}/r/problems?attempt=2", {"problems": []}, []),
        (lambda c: c.runs.problem("r", "f/1"), f"GET {RUNS}/r/problems/f%2F1", DETAIL, DETAIL),
        (lambda c: c.runs.compare_problems("r", "o"), f"GET {RUNS}/r/problems?against=o", NEWS, COMPARED),
        (lambda c: c.runs.source("r", "lib/a b"), f"GET {RUNS}/r/source/lib/a%20b", "x", b'"x"'),
        (
            lambda c: c.runs.metrics("r"),
            f"GET {RUNS}/r/metrics",
            {"requests": 3, "of a later version": [1]},
            RunMetrics(requests=3),
        ),
        (lambda c: c.runs.events("r"), f"GET {RUNS}/r/events", {"events": [EVENT]}, [EVENT]),
        (lambda c: c.runs.logs("r", tail=5), f"GET {RUNS}/r/logs?tail=5", "bytes", b'"bytes"'),
        (lambda c: c.projects.get("p"), f"GET {BASE}/p", PROJECT, PROJECT),
        (lambda c: c.projects.delete("p"), f"DELETE {BASE}/p", None, None),
        (lambda c: c.secrets.list(), f"GET {BASE}/demo/secrets", {"secrets": []}, []),
        (lambda c: c.secrets.delete("S"), f"DELETE {BASE}/demo/secrets/S", None, None),
    ],
)
def test_a_call_is_as_the_page_says(
    call: Callable[[Client], object], line: str, answer: object, result: object
) -> None:
    wire = Wire(answer)

    assert call(client_on(wire)) == result
    assert wire.line == line


def test_projects_are_made_of_a_remote() -> None:
    wire = Wire(PROJECT, status=201)

    made = client_on(wire).projects.create("n", "git@h:o/r.git", branch="b", credential="KEY", max_running=3)

    assert made == PROJECT
    assert wire.line == f"POST {BASE}"
    git = {"remote": "git@h:o/r.git", "branch": "b", "credential": "KEY"}
    assert wire.body == {"name": "n", "source": {"git": git}, "max_running": 3}


@pytest.mark.parametrize("changes", [{"name": "new"}, {"max_running": 5}, {"max_running": None}, {}])
def test_a_project_changes_in_what_is_given(changes: dict[str, Any]) -> None:
    wire = Wire(PROJECT)

    client_on(wire).projects.update("p", **changes)

    assert (wire.line, wire.body) == (f"PATCH {BASE}/p", changes)


def test_all_projects_are_listed_page_by_page() -> None:
    projects = [a_project(name=f"p{number}") for number in range(120)]

    def pages(request: httpx.Request) -> httpx.Response:
        limit, offset = (int(request.url.params[name]) for name in ("limit", "offset"))
        body = {"projects": projects[offset : offset + limit], "page": 1, "page_size": limit}
        return httpx.Response(200, content=msgspec.json.encode(body))

    assert client_on(pages).projects.list() == projects


def test_a_secrets_value_goes_in_the_body_alone() -> None:
    wire = Wire()

    client_on(wire).secrets.set("TOKEN", "hidden")

    assert (wire.line, wire.body) == (f"PUT {BASE}/demo/secrets/TOKEN", {"value": "hidden"})
    assert "hidden" not in repr(wire.request)


def test_a_log_comes_in_ranges_whatever_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daftray.client._sync.records._PIECE_BYTES", 10)
    log = bytes(range(256)) * 3

    def ranges(request: httpx.Request) -> httpx.Response:
        first, last = map(int, request.headers["range"].removeprefix("bytes=").split("-"))
        if first >= len(log):
            return httpx.Response(416)
        return httpx.Response(206, content=log[first : last + 1])

    client = client_on(ranges)
    assert client.runs.logs("r") == log
    assert client.runs.logs("r", start=5, end=42) == log[5:42]
    assert client.runs.logs("r", start=760) == log[760:]
    assert client.runs.logs("r", start=5000) == b""


def test_a_server_without_ranges_answers_the_whole_log() -> None:
    wire = Wire(content=b"all of it")

    assert client_on(wire).runs.logs("r") == b"all of it"


def test_a_result_is_downloaded_piece_by_piece() -> None:
    wire = Wire(content=b"PAR1")

    assert b"".join(client_on(wire).runs.download_result("r")) == b"PAR1"
    assert wire.line == f"GET {RUNS}/r/results/download"


def test_errors_of_a_download_are_typed_too() -> None:
    wire = Wire({"type": "run-not-found", "detail": "d"}, status=404)

    with pytest.raises(RunNotFoundError, match="d"):
        list(client_on(wire).runs.download_result("r"))


def test_an_unknown_project_is_asked_for_before_any_call() -> None:
    client = client_on(Wire(), project=None)

    with pytest.raises(NotConfiguredError, match="Which project"):
        client.runs.get("r")


def test_another_project_is_a_call_away() -> None:
    wire = Wire(RUN)
    client = client_on(wire)

    client.in_project("other").runs.get("r")

    assert wire.line == f"GET {BASE}/other/runs/r"
    assert (client.project, client.in_project("other").project) == ("demo", "other")


@pytest.mark.parametrize("content", [b"<html>", b"{}", b'{"id": 1}'])
def test_an_answer_of_something_else_is_told(content: bytes) -> None:
    with pytest.raises(AnswerNotUnderstoodError, match="same version"):
        client_on(Wire(content=content)).runs.get("r")


def test_a_redirect_is_told_and_the_key_does_not_follow_it() -> None:
    asked: list[httpx.Request] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(307, headers={"location": "https://other.example/"})

    with pytest.raises(AnswerNotUnderstoodError, match=r"https://other\.example/"):
        client_on(redirect).runs.get("r")
    assert len(asked) == 1


async def test_the_client_that_awaits_does_the_same() -> None:
    wire = Wire({"runs": [RUN], "next_cursor": None})
    transport = httpx.MockTransport(wire)

    async with AsyncClient("https://x.example", "key", project="demo", transport=transport) as client:
        found = [run async for run in client.runs.iterate()]

    assert found == [RUN]
    assert wire.line == f"GET {RUNS}?limit=50"
