"""Exceptions that runs report by OTLP, and what people then read of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_server import BASE, ApiServer, api_server
from msgspec.structs import replace

from daftray.domain.problem import OTHERS
from daftray.runner import otlp
from daftray.runner.problems import Problems as RunnerProblems

RUNS = f"{BASE}/demo/runs"
LOGS = "/v1/ingest/otlp/v1/logs"
SECOND = 10**9
NOON_NS = 1_793_534_400 * SECOND
"""2026-11-01 at noon."""


@pytest.fixture(params=["here", "far"])
async def api(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[ApiServer]:
    """A server on SQLite, and one on PostgreSQL."""
    places: dict[str, str] = {}
    if request.param == "far":
        places["database_url"] = request.getfixturevalue("emptied_postgres")
    async with api_server(tmp_path, **places) as server:
        yield server


def frame(line: int = 3, **more: Any) -> dict[str, Any]:
    return {"file": "main.py", "line": line, "function": "main", "user": True, **more}


def record(key: str | None = "1", count: int = 1, **more: Any) -> dict[str, Any]:
    """Return a record as the runner sends it; ``more`` are attributes by their last word."""
    info = more.pop("info", {"type": "ValueError", "message": "bad 3", "frames": [frame()]})
    texts = {
        "exception.type": info["type"],
        "exception.message": info["message"],
        "exception.stacktrace": "Traceback (most recent call last): …",
        "daftray.handled": more.pop("handled", "raise"),
        "daftray.problem.first_ns": str(NOON_NS),
        "daftray.problem.info": json.dumps(info),
        "daftray.problem.samples": json.dumps(more.pop("samples", [])),
    }
    texts |= {} if key is None else {"daftray.problem.key": key}
    texts |= {"daftray.udf": more.pop("udf")} if "udf" in more else {}
    attributes: list[dict[str, Any]] = [
        {"key": name, "value": {"stringValue": text}} for name, text in texts.items()
    ]
    attributes.append({"key": "daftray.problem.count", "value": {"intValue": str(count)}})
    assert not more
    return {
        "eventName": "exception",
        "timeUnixNano": str(NOON_NS + count * SECOND),
        "severityNumber": 17,
        "attributes": attributes,
    }


def export(*records: dict[str, Any], process: str = "host-1") -> dict[str, Any]:
    resource = {"attributes": [{"key": "daftray.process", "value": {"stringValue": process}}]}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": list(records)}]}]}


async def send(api: ApiServer, run: dict[str, Any], body: Any) -> None:
    answer = await api.ask("POST", LOGS, key=api.token(run), json=body)
    assert answer.status_code == 200, answer.text


async def read(api: ApiServer, run: dict[str, Any], query: str = "") -> Any:
    answer = await api.ask("GET", f"{RUNS}/{run['id']}/problems{query}", key="viewer")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def pinned(api: ApiServer, run: dict[str, Any], commit: str) -> None:
    """Give a run its commit, as the first step does."""
    context = api.services.reconciler._context
    await context.runs.claim_due(context.claim, limit=10)
    await context.runs.save(replace(await api.stored(run), commit=commit), (), context.claim)


async def test_what_processes_report_is_counted_once_whatever_comes_twice(api: ApiServer) -> None:
    run = await api.create_run()
    bodies = [
        export(record(count=3, udf="embed", handled="ignore")),
        export(record(count=1, udf="embed", handled="ignore")),
        export(record(count=7, udf="embed", handled="log"), process="host-2"),
        export(record(key="2", info={"type": "KeyError", "message": "'x'", "frames": [frame(9)]})),
    ]
    for body in [*bodies, *reversed(bodies)]:
        await send(api, run, body)
    most, other = (await read(api, run))["problems"]
    assert (most["count"], most["udf"], most["handled"], most["attempt"]) == (10, "embed", "log", 1)
    assert (most["first_seen"], most["last_seen"]) == ("2026-11-01T12:00:00Z", "2026-11-01T12:00:07Z")
    assert most["frames"] == [{"code": None, **frame()}]
    assert (other["type"], other["count"]) == ("KeyError", 1)


async def test_many_processes_at_once_lose_nothing(api: ApiServer) -> None:
    run = await api.create_run()
    sample = {"at_ns": NOON_NS, "message": "bad", "worker": "w", "arguments": ["3"]}
    await asyncio.gather(
        *(
            send(api, run, export(record(count=number, samples=[sample]), process=f"host-{number}"))
            for number in range(1, 41)
        )
    )
    (problem,) = (await read(api, run))["problems"]
    assert problem["count"] == sum(range(1, 41))


async def test_a_problem_is_shown_with_samples_traceback_and_the_code_around_its_frames(
    api: ApiServer,
) -> None:
    lines = [f"line_{number} = {number}" for number in range(1, 31)]
    lines[20] = "TOKEN = 'correct-horse-battery'"
    commit = api.repo.commit({"main.py": "\n".join(lines) + "\n"})
    run = await api.create_run(secrets={"OWN": "correct-horse-battery"})
    await pinned(api, run, commit)
    info = {
        "type": "ValueError",
        "message": "bad correct-horse-battery",
        "frames": [
            {"file": "asyncio/runners.py", "line": 1, "function": "run"},
            frame(2, function="<module>"),
            frame(20, code="line_20 = 20"),
            frame(32),
            frame(0),
            frame(5, file="gone.py"),
            frame(5, file="../../etc/passwd"),
        ],
    }
    samples = [
        {"at_ns": NOON_NS + n, "message": "bad correct-horse-battery", "worker": "w", "arguments": ["'a'"]}
        for n in (2000, 1000)
    ]
    await send(api, run, export(record(info=info, samples=samples)))
    (problem,) = (await read(api, run))["problems"]
    detail = await read(api, run, f"/{problem['fingerprint']}")
    assert detail["problems"] == [problem]
    assert detail["stacktrace"].startswith("Traceback")
    assert [one["at"] for one in detail["samples"]] == [
        "2026-11-01T12:00:00.000001Z",
        "2026-11-01T12:00:00.000002Z",
    ]
    assert detail["samples"][0]["arguments"] == ["'a'"]
    library, first, second, *others = detail["source"]
    assert library is None
    assert others == [None] * 4, "no such line, no such file, and no file of the repository"
    assert (first["first"], first["lines"][1]) == (1, "line_2 = 2")
    assert (second["first"], second["lines"][5]) == (15, "line_20 = 20")
    assert "correct-horse-battery" not in json.dumps(detail), "no secret, not even one in the code"
    for path in ("/0000", f"/{problem['fingerprint']}?attempt=2"):
        answer = await api.ask("GET", f"{RUNS}/{run['id']}/problems{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "problem-not-found")


async def test_a_problem_of_a_run_without_a_commit_is_shown_without_code(api: ApiServer) -> None:
    run = await api.create_run()
    await send(api, run, export(record()))
    (problem,) = (await read(api, run))["problems"]
    assert (await read(api, run, f"/{problem['fingerprint']}"))["source"] == [None]


async def test_two_runs_are_compared(api: ApiServer) -> None:
    first, second = await api.create_run(), await api.create_run()
    other = {"type": "KeyError", "message": "'x'", "frames": [frame(9)]}
    await send(api, first, export(record(), record(key="2", info=other)))
    moved = {"type": "ValueError", "message": "bad 4", "frames": [frame(30)]}
    fresh = {"type": "OSError", "message": "disk", "frames": [frame()]}
    await send(api, second, export(record(info=moved), record(key="2", info=fresh)))
    comparison = (await read(api, second, f"?against={first['id']}"))["comparison"]
    assert comparison["run"] == first["id"]
    kinds = {what: [one["type"] for one in comparison[what]] for what in ("new", "seen", "gone")}
    assert kinds == {"new": ["OSError"], "seen": ["ValueError"], "gone": ["KeyError"]}
    assert (await read(api, second))["comparison"] is None
    absent = await api.ask("GET", f"{RUNS}/{second['id']}/problems?against=run_none")
    assert (absent.status_code, absent.json()["type"]) == (404, "run-not-found")


@pytest.mark.parametrize("first", ["hook", "end"])
async def test_the_end_of_a_run_is_the_exception_that_a_hook_has_counted(api: ApiServer, first: str) -> None:
    run = await api.create_run()
    info = {"type": "ValueError", "message": "bad 3", "frames": [frame()]}
    if first == "hook":
        await send(api, run, export(record(count=4, udf="embed")))
    finished = {
        "attempt": 1,
        "outcome": "raised",
        "exit_code": 1,
        "at": "2026-11-01T12:00:09Z",
        "exception": info,
        "problem": {"process": "host-1", "key": "1", "udf": "embed"},
    }
    path = f"/v1/ingest/runs/{run['id']}/finished"
    assert (await api.ask("POST", path, key=api.token(run), json=finished)).status_code == 204
    if first == "end":
        assert [one["count"] for one in (await read(api, run))["problems"]] == [1], "known by the end alone"
        await send(api, run, export(record(count=4, udf="embed")))
    (problem,) = (await read(api, run))["problems"]
    assert problem["count"] == 4
    comparison = (await read(api, run, f"?against={(await another(api))['id']}"))["comparison"]
    assert [one["fingerprint"] for one in comparison["seen"]] == [problem["fingerprint"]]


async def another(api: ApiServer) -> dict[str, Any]:
    """Return a run in which only the hook has seen the exception."""
    run = await api.create_run()
    await send(api, run, export(record(udf="embed")))
    return run


async def test_what_the_runners_own_encoder_sends_is_understood(api: ApiServer) -> None:
    """The runner can import nothing of the server's, so that their words are held together here."""
    run = await api.create_run()
    problems = RunnerProblems("host-7", str(Path(__file__).parent), lambda: None)
    for text in ("a", "b"):
        try:
            raise LookupError(text)  # noqa: TRY301 (it is what is counted)
        except LookupError as error:
            problems.add(error, udf="embed", handled="retry", arguments=["'x'"])
    body = otlp.encode_logs(problems.changed(), resource={"daftray.process": "host-7"})
    answer = await api.ask(
        "POST", LOGS, key=api.token(run), content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 200, answer.text
    (problem,) = (await read(api, run))["problems"]
    assert (problem["type"], problem["udf"], problem["count"], problem["handled"]) == (
        "LookupError",
        "embed",
        2,
        "retry",
    )
    (innermost,) = problem["frames"]
    assert innermost["file"] == Path(__file__).name
    detail = await read(api, run, f"/{problem['fingerprint']}")
    assert [(one["message"], one["worker"], one["arguments"]) for one in detail["samples"]] == [
        ("a", "host-7", ["'x'"]),
        ("b", "host-7", ["'x'"]),
    ]
    assert "raise LookupError(text)" in detail["stacktrace"]


async def test_an_exception_of_other_opentelemetry_code_counts_once(api: ApiServer) -> None:
    run = await api.create_run()
    one = record(key=None)
    for _ in range(2):
        await send(api, run, export(one))
    await send(api, run, export({**one, "timeUnixNano": str(NOON_NS)}, {"body": {"stringValue": "hello"}}))
    (problem,) = (await read(api, run))["problems"]
    assert (problem["count"], problem["handled"]) == (2, "log")


async def test_what_is_beyond_the_runners_bound_is_under_one_name(api: ApiServer) -> None:
    run = await api.create_run()
    info = {"type": "daftray.OtherProblems", "message": "…", "frames": []}
    await send(api, run, export(record(key="others", info=info, count=12)))
    assert [one["fingerprint"] for one in (await read(api, run))["problems"]] == [OTHERS]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b'{"resourceLogs": 3}', b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [3]}]}]}'],
)
async def test_logs_of_another_form_are_refused(api: ApiServer, content: bytes) -> None:
    answer = await api.ask("POST", LOGS, key=api.token(await api.create_run()), content=content)
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid-input")


async def test_a_runs_token_reaches_its_own_problems_alone(api: ApiServer) -> None:
    run, other = await api.create_run(), await api.create_run()
    body = export(record())
    body["resourceLogs"][0]["resource"]["attributes"].append(
        {"key": "daftray.run_id", "value": {"stringValue": other["id"]}}
    )
    await send(api, run, body)
    assert len((await read(api, run))["problems"]) == 1
    assert (await read(api, other))["problems"] == []


async def test_a_file_is_shown_as_the_run_had_it(api: ApiServer) -> None:
    commit = api.repo.commit({"main.py": "print(1)\n", "lib/ä b.py": "A = 1\n", "large.txt": "x" * (3 << 20)})
    (api.repo.path / "main.py").write_text("print(2)  # correct-horse-battery\n")
    patch = api.repo.diff().decode()
    run = await api.create_run(
        source={"git": {"hash": commit, "patch": patch}}, secrets={"OWN": "correct-horse-battery"}
    )
    path = f"{RUNS}/{run['id']}/source"
    early = await api.ask("GET", f"{path}/main.py")
    assert (early.status_code, early.json()["type"]) == (404, "file-not-found")
    await pinned(api, run, commit)
    shown = await api.ask("GET", f"{path}/main.py", key="viewer")
    assert (shown.status_code, shown.text) == (200, f"print(2)  # {'*' * 21}\n")
    assert shown.headers["content-type"].startswith("text/plain")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert (await api.ask("GET", f"{path}/lib/%C3%A4%20b.py")).text == "A = 1\n"
    answers = {
        "gone.py": (404, "file-not-found"),
        "lib": (404, "file-not-found"),
        "large.txt": (400, "source-too-large"),
        "lib/%2e%2e/main.py": (400, "invalid-input"),
        "%0Amain.py": (400, "invalid-input"),
    }
    for name, (status, kind) in answers.items():
        answer = await api.ask("GET", f"{path}/{name}")
        assert (answer.status_code, answer.json()["type"]) == (status, kind), name
