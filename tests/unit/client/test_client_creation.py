"""New runs: what is sent, under which key, and what comes of a call whose answer is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from factories import a_run

from daftray import Client
from daftray.client import Retry, ServerUnreachableError, run_request
from daftray.domain.errors import IdempotencyConflictError, InvalidInputError
from daftray.domain.spec import Budget, Environment, Retries, RunRequest
from daftray.domain.status import FailureReason

RUNS = "/v1/workspaces/default/projects/demo/runs"
RUN = a_run()
LOST = [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut"), httpx.ReadError("reset")]


class Server:
    """Makes one thing for each key that it has not seen, and loses its first answers."""

    def __init__(self, *lost: Exception | httpx.Response) -> None:
        self.lost = list(lost)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.lost:
            lost = self.lost.pop(0)
            if isinstance(lost, Exception):
                raise lost
            return lost
        many = {"run_ids": [RUN.id]}
        return httpx.Response(
            201, content=msgspec.json.encode(many if request.url.path.endswith(":batch") else {"run": RUN})
        )

    @property
    def keys(self) -> list[str]:
        return [request.headers["idempotency-key"] for request in self.asked]

    @property
    def body(self) -> Any:  # any JSON
        (request,) = self.asked
        return json.loads(request.content)


def client_on(server: Callable[[httpx.Request], httpx.Response]) -> Client:
    retry = Retry(attempts=3, base_s=0)
    return Client(
        "https://x.example", "key", project="demo", retry=retry, transport=httpx.MockTransport(server)
    )


CALLS: list[Callable[..., object]] = [
    lambda client, **more: client.runs.create("a.py", **more),
    lambda client, **more: client.runs.create_many([run_request("a.py")], **more),
    lambda client, **more: client.runs.rerun("run_1", **more),
]
each_call = pytest.mark.parametrize("call", CALLS, ids=["create", "create_many", "rerun"])


@each_call
@pytest.mark.parametrize("trouble", [*LOST, httpx.Response(503), httpx.ConnectError("refused")])
def test_a_call_whose_answer_is_lost_is_sent_again_under_its_key(
    call: Callable[..., object], trouble: Exception | httpx.Response
) -> None:
    server = Server(trouble, trouble)

    assert call(client_on(server)) in (RUN, [RUN.id])
    assert (len(server.asked), len(set(server.keys))) == (3, 1)
    assert len({request.content for request in server.asked}) == 1


@each_call
def test_each_call_is_one_of_its_own(call: Callable[..., object]) -> None:
    server = Server()

    for _ in range(5):
        call(client_on(server))
    assert len(set(server.keys)) == 5
    assert all(len(key) > 20 for key in server.keys)


@each_call
def test_the_callers_key_is_taken_instead(call: Callable[..., object]) -> None:
    server = Server(*LOST[:1])

    call(client_on(server), idempotency_key="nightly-2030-01-31")
    call(client_on(server), idempotency_key="nightly-2030-01-31")
    assert server.keys == ["nightly-2030-01-31"] * 3


@each_call
def test_a_server_that_never_answers_is_told_of(call: Callable[..., object]) -> None:
    server = Server(*LOST)

    with pytest.raises(ServerUnreachableError):
        call(client_on(server))
    assert len(server.asked) == 3


@each_call
@pytest.mark.parametrize("key", ["", " ", "a ", " a", "x" * 201, "ä", "a\r\nX-Evil: 1", "a\0", "\t"])
def test_a_key_that_no_header_holds_is_refused_before_anything_is_sent(
    call: Callable[..., object], key: str
) -> None:
    server = Server()

    with pytest.raises(InvalidInputError) as told:
        call(client_on(server), idempotency_key=key)
    assert [issue.path for issue in told.value.issues] == ["idempotency_key"]
    assert server.asked == []


@each_call
def test_a_key_that_was_used_for_something_else_is_an_error_of_its_own(call: Callable[..., object]) -> None:
    body = {"type": "idempotency-key-reused", "title": "Conflict", "status": 409, "detail": "Choose."}
    server = Server(httpx.Response(409, json=body))

    with pytest.raises(IdempotencyConflictError, match="Choose"):
        call(client_on(server), idempotency_key="k")
    assert len(server.asked) == 1


BOUNDS: dict[str, Any] = {"priority": -3, "timeout_s": 7200, "start_timeout_s": 600.5, "queue_timeout_s": 1}
TWICE = {"max": 2, "on": None, "backoff": 10.0}


def test_a_run_is_made_with_its_bounds() -> None:
    server = Server()

    client_on(server).runs.create("a.py", retries=2, budget=Budget(usd=5), **BOUNDS)

    assert {name: server.body[name] for name in BOUNDS} == BOUNDS
    assert server.body["retries"] == TWICE
    assert server.body["budget"] == {"tokens": None, "requests": None, "usd": 5}


def test_retries_can_say_after_which_reasons_and_how_long_after() -> None:
    server = Server()
    retries = Retries(max=1, on=(FailureReason.USER_ERROR, FailureReason.KILLED), backoff=0)

    client_on(server).runs.create("a.py", retries=retries)

    assert server.body["retries"] == {"max": 1, "on": ["user_error", "killed"], "backoff": 0}


def test_no_retries_are_none() -> None:
    assert run_request("a.py", retries=0).retries is None


@pytest.mark.parametrize("name", ["timeout_s", "start_timeout_s", "queue_timeout_s"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_time_that_json_would_lose_is_refused(name: str, value: float) -> None:
    server = Server()
    bounds: dict[str, Any] = {name: value}

    for call in (
        lambda: run_request("a.py", **bounds),
        lambda: client_on(server).runs.create("a.py", **bounds),
        lambda: client_on(server).runs.rerun("run_1", **bounds),
    ):
        with pytest.raises(InvalidInputError) as told:
            call()
        assert [issue.path for issue in told.value.issues] == [name]
    assert server.asked == []


def test_a_request_says_what_a_create_call_does() -> None:
    server = Server()
    asked: dict[str, Any] = {
        "args": ["a"],
        "kwargs": {"limit": 3},
        "ref": "v1",
        "patch": b"diff",
        "environment": Environment(dependencies=["daft"]),
        "secrets": {"TOKEN": "t"},
        "name": "nightly",
        "labels": {"team": "search"},
        "runner": "native",
        "retries": 2,
        **BOUNDS,
    }

    client_on(server).runs.create("score.py:main", **asked)

    assert msgspec.convert(server.body, RunRequest) == run_request("score.py:main", **asked)


def test_many_are_sent_in_one_call_in_either_form() -> None:
    server = Server()
    body = {"entrypoint": {"module": {"module": "m"}}, "labels": {"n": "1"}}

    assert client_on(server).runs.create_many([run_request("a.py", name="first"), body]) == [RUN.id]

    (request,) = server.asked
    assert f"{request.method} {request.url.path}" == f"POST {RUNS}:batch"
    first, second = server.body["runs"]
    assert (first["name"], first["entrypoint"]["file"]["file_path"]) == ("first", "a.py")
    assert second == body


def test_what_is_wrong_with_one_of_many_is_told_at_its_place() -> None:
    issues = [{"path": "runs[3].entrypoint", "message": "give one"}]
    body = {"type": "invalid-input", "title": "T", "status": 400, "detail": "No.", "errors": issues}
    server = Server(httpx.Response(400, json=body))

    with pytest.raises(InvalidInputError) as told:
        client_on(server).runs.create_many([{}] * 4)
    assert [issue.path for issue in told.value.issues] == ["runs[3].entrypoint"]


@pytest.mark.parametrize(
    ("overrides", "body"),
    [
        ({}, {}),
        ({"retries": 2, **BOUNDS}, {"retries": TWICE, **BOUNDS}),
        ({"retries": None, "timeout_s": None}, {"retries": None, "timeout_s": None}),
        ({"budget": None}, {"budget": None}),
        ({"budget": Budget(requests=1)}, {"budget": {"tokens": None, "requests": 1, "usd": None}}),
        ({"retries": 0, "priority": 0}, {"retries": None, "priority": 0}),
        (
            {"start_timeout_s": None, "queue_timeout_s": None},
            {"start_timeout_s": None, "queue_timeout_s": None},
        ),
    ],
)
def test_a_rerun_changes_or_takes_away_what_is_given(overrides: dict[str, Any], body: dict[str, Any]) -> None:
    server = Server()

    client_on(server).runs.rerun("run_1", **overrides)

    assert server.body == body
