"""Whatever is sent to the HTTP interface, it answers, and never with a defect of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import pytest
from api_server import BASE, RUN_BODY, ApiServer, api_server
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

RUNS = f"{BASE}/demo/runs"
AT = "2026-11-01T12:00:00Z"
ODD_TEXTS = [
    *("", "\0", "a\0b", "ä", "\U0001f600", "%", "=", "-", "--upload-pack=x", "../x", "/", "..", "a" * 5000),
    *("blob:", "blob:" + "a" * 64, "HEAD", "refs/heads/x", "abc1234", "AAAA", "ext::sh -c x", "file:///x"),
    *(
        "https://u:p@h.example/x.git",
        "git@h.example:x",
        "three",
        "3.12",
        "9" * 400,
        "six",
        "-e .",
        "six @ x:",
    ),
    *(AT, "2026-11-01T12:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "${HOME}"),
    *("DAFTRAY_RUN_TOKEN", "text/html\r\nX: y", "ray", "json", "raised"),
]
ODD_NUMBERS = [0, -1, 1, 2**31, 2**53, 2**63, 2**64, 10**30, -(10**30), 0.5, 1e308]
SMALL = st.sampled_from([None, True, False, *ODD_NUMBERS, *ODD_TEXTS])
ODD = st.recursive(
    SMALL,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*ODD_TEXTS, "a", "b"]), inner, max_size=3)
    ),
    max_leaves=6,
)
FRAME = {"file": "a.py", "line": 3, "function": "f", "code": "raise", "user": True}
FILE: dict[str, Any] = {"file": {"file_path": "a.py", "argv": ["x"]}}
FUNCTION: dict[str, Any] = {"function": {"module": "m", "symbol": "f", "args": [1], "kwargs": {"a": 1}}}
RUN: dict[str, Any] = {
    "entrypoint": FILE,
    "source": {"git": {"remote": "", "hash": "", "ref": "main", "bundle": "AAAA", "patch": "diff"}},
    "environment": {"python_version": "3.12", "dependencies": ["six"], "environment_variables": {"A": "b"}},
    "name": "n",
    "labels": {"a": "b"},
    "runner": "ray",
    "resources": {"num_cpus": 1, "num_gpus": 0, "memory": 1},
    "secrets": {"A": "long-enough"},
    "priority": 1,
    "queue_timeout_s": 9,
    "start_timeout_s": 9,
    "timeout_s": 9,
    "retries": {"max": 1, "on": ["killed"], "backoff": 1},
}
EXCEPTION = {"type": "E", "message": "m", "frames": [FRAME], "notes": ["n"], "causes": []}
OTLP_METRIC = {
    "name": "daftray.requests",
    "sum": {
        "aggregationTemporality": 2,
        "isMonotonic": True,
        "dataPoints": [{"asInt": "1", "attributes": []}],
    },
}
OTLP_PART = {
    "resource": {"attributes": [{"key": "daftray.process", "value": {"stringValue": "p"}}]},
    "scopeMetrics": [{"metrics": [OTLP_METRIC]}],
}
TABLE = {"columns": [{"name": "a", "type": "int"}], "rows": 1, "preview": [{"a": 1}], "data": True, "size": 1}
BODIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "create": ("POST", RUNS, RUN),
    "function": ("POST", RUNS, {**RUN, "entrypoint": FUNCTION}),
    "rerun": ("POST", RUNS + "/{run}/rerun", RUN),
    "batch": ("POST", RUNS + ":batch", {"runs": [RUN, {**RUN, "entrypoint": FUNCTION}]}),
    "project": (
        "POST",
        BASE,
        {
            "name": "x",
            "source": {"git": {"remote": "r", "branch": "b", "credential": "C"}},
            "max_running": 1,
        },
    ),
    "patch": (
        "PATCH",
        f"{BASE}/spare",
        {"source": {"git": {"remote": "r", "branch": "b"}}, "max_running": 1},
    ),
    "secret": ("PUT", f"{BASE}/demo/secrets/A", {"value": "long-enough"}),
    "started": (
        "POST",
        "/v1/ingest/runs/{run}/started",
        {"attempt": 1, "pid": 1, "host": "h", "python_version": "3.12", "at": AT},
    ),
    "finished": (
        "POST",
        "/v1/ingest/runs/{run}/finished",
        {"attempt": 1, "outcome": "raised", "exit_code": 1, "detail": "d", "exception": EXCEPTION, "at": AT},
    ),
    "result": ("POST", "/v1/ingest/runs/{run}/result", {"kind": "table", "attempt": 1, "value": 1, **TABLE}),
    "metrics": ("POST", "/v1/ingest/otlp/v1/metrics", {"resourceMetrics": [OTLP_PART]}),
}
READS = ["", "/events", "/results", "/results/preview", "/results/download", "/problems", "/metrics", "/logs"]
QUERIES = ["limit", "offset", "status", "label", "q", "created_after", "created_before", "trigger", "cursor"]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every part of a body, the whole one's first."""
    inner: list[Any] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(found for key, one in inner for found in places(one, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a body with something else at a place."""
    if not path:
        return new
    copy = value.copy() if isinstance(value, dict | list) else {}
    if isinstance(copy, list) and not (isinstance(path[0], int) and path[0] < len(copy)):
        return copy
    copy[path[0]] = put(copy[path[0]] if isinstance(copy, list) else copy.get(path[0]), path[1:], new)
    return copy


def part(value: Any, path: tuple[Any, ...]) -> Any:
    return part(value[path[0]], path[1:]) if path else value


TEXTS_OF_A_RUN = [place for place in places(RUN) if isinstance(part(RUN, place), str)]


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, Any]:
    name = draw(st.sampled_from(sorted(BODIES)))
    body: Any = BODIES[name][2]
    for _ in range(draw(st.integers(1, 3))):
        body = put(body, draw(st.sampled_from(places(BODIES[name][2]))), draw(ODD))
    return name, body


class Fuzzed:
    """A server that stays for all examples, and the loop that it lives in."""

    def __init__(self, runner: asyncio.Runner, server: ApiServer) -> None:
        self.runner, self.server = runner, server
        self.run = runner.run(server.create_run())
        body = {"name": "spare", "source": {"git": {"remote": server.repo.url}}}
        assert self.ask("POST", BASE, json=body).status_code == 201

    def ask(self, method: str, path: str, **more: Any) -> Any:
        return self.runner.run(self.server.ask(method, path, **more))

    def check(self, method: str, path: str, **more: Any) -> None:
        answer = self.ask(method, path, **more)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", answer.text
            assert answer.json()["detail"]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Generator[Fuzzed]:
    with asyncio.Runner() as runner:
        server = api_server(tmp_path_factory.mktemp("fuzz"))
        yield Fuzzed(runner, runner.run(server.__aenter__()))
        runner.run(server.__aexit__(None, None, None))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=bodies())
def test_no_body_is_answered_as_a_defect_and_none_makes_a_later_answer_one(
    fuzzed: Fuzzed, sent: tuple[str, Any]
) -> None:
    name, body = sent
    method, path, _ = BODIES[name]
    run = fuzzed.run["id"]
    key = fuzzed.server.token(fuzzed.run) if "/ingest/" in path else "admin"
    fuzzed.check(method, path.format(run=run), key=key, json=body)
    if "/ingest/" in path:
        for read in READS:
            fuzzed.check("GET", f"{RUNS}/{run}{read}")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    read=st.sampled_from(["", *(f"/{{run}}{read}" for read in READS)]),
    query=st.dictionaries(
        st.sampled_from([*QUERIES, "attempt", "tail", "x"]),
        st.sampled_from([*ODD_TEXTS, *ODD_NUMBERS]),
        max_size=3,
    ),
    span=st.sampled_from(
        ["bytes=0-", "bytes=5-1", "bytes=-0", "bytes=" + "9" * 40, "x" * 5000, "bytes=0-1,2-3"]
    ),
)
def test_no_query_is_answered_as_a_defect(
    fuzzed: Fuzzed, read: str, query: dict[str, Any], span: str
) -> None:
    path = f"{RUNS}{read.format(run=fuzzed.run['id'])}"
    answer = fuzzed.ask("GET", path, params=query, headers={"Range": span})
    assert answer.status_code < 500, answer.text


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200) | st.sampled_from([b"null", b"[]", b'""', b"1e999", b'{"a":1,"a":2}']))
def test_no_bytes_are_answered_as_a_defect(fuzzed: Fuzzed, body: bytes) -> None:
    for name in ("create", "rerun", "batch", "project", "secret", "result", "metrics"):
        method, path, _ = BODIES[name]
        key = fuzzed.server.token(fuzzed.run) if "/ingest/" in path else "admin"
        fuzzed.check(method, path.format(run=fuzzed.run["id"]), key=key, content=body)


@pytest.mark.parametrize("place", TEXTS_OF_A_RUN, ids=lambda place: ".".join(map(str, place)))
def test_no_text_at_any_place_of_a_run_is_answered_as_a_defect(
    fuzzed: Fuzzed, place: tuple[Any, ...]
) -> None:
    body = put(RUN, ("source", "git", "patch"), "") if place[-1] == "bundle" else RUN
    for text in ODD_TEXTS:
        fuzzed.check("POST", RUNS, json=put(body, place, text))


def test_a_sound_body_of_each_kind_is_taken(fuzzed: Fuzzed) -> None:
    """What is put out of order above was in order before."""
    assert fuzzed.ask("POST", RUNS, json=RUN_BODY).status_code == 201
    run = fuzzed.runner.run(fuzzed.server.create_run())
    remote = ("source", "git", "remote")
    for name, (method, path, sound) in BODIES.items():
        body = put(sound, remote, fuzzed.server.repo.url) if name in {"project", "patch"} else sound
        key = fuzzed.server.token(run) if "/ingest/" in path else "admin"
        answer = fuzzed.ask(method, path.format(run=run["id"]), key=key, json=body)
        assert answer.status_code < 300, f"{name}: {answer.text}"
