"""A run's exceptions in a browser: what is shown of them, and the code around their frames, all as text."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from api_runs import run_on
from api_server import ApiServer, api_server
from browsing import PAGE

from daftray.domain.problem import ExceptionInfo, Frame, ProblemReport, ProblemSample
from daftray.domain.report import FinishedReport

RUNS = "/projects/default/demo/runs"
EVIL = "<script>alert(1)</script>"
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        yield server


async def failed(api: ApiServer, run: dict[str, str], fingerprint: str) -> None:
    """Let a run report an exception whose every text is markup."""
    frames = [
        Frame(file="main.py", line=1, function=EVIL, code=EVIL, user=True),
        Frame(file=f"/lib/{EVIL}.py", line=7, function="call"),
    ]
    info = ExceptionInfo(
        type=f"Bad{EVIL}",
        message=f"bad row {EVIL}",
        frames=frames,
        causes=[ExceptionInfo(type="KeyError", message=EVIL)],
        notes=[EVIL],
    )
    problem = ProblemReport(
        process="p",
        key="1",
        fingerprint=fingerprint,
        count=1234,
        udf=f"embed{EVIL}",
        first_seen=AT,
        last_seen=AT,
        exception=info,
        stacktrace=f"Traceback {EVIL}",
        samples=(ProblemSample(at=AT, message=EVIL, worker="w-1", arguments=[EVIL]),),
    )
    report = FinishedReport(attempt=1, outcome="raised", exit_code=1, at=AT)
    await api.services.outcomes._reports.finished(run["id"], report, problem)


async def page(api: ApiServer, path: str) -> str:
    answer = await api.ask("GET", path, headers=PAGE)
    assert answer.status_code == 200, answer.text
    assert "<script>" not in answer.text
    return answer.text


async def test_problems_are_listed_and_one_is_shown_with_its_code_and_can_do_nothing(api: ApiServer) -> None:
    run = await api.create_run()
    await run_on(api, run, b"")
    await failed(api, run, "f" * 16)
    listed = await page(api, f"{RUNS}/{run['id']}/problems")
    for text in ("Bad&lt;script&gt;", "1,234", "main.py:1", f"/problems/{'f' * 16}"):
        assert text in listed
    one = await page(api, f"{RUNS}/{run['id']}/problems/{'f' * 16}")
    for text in ("w-1", "KeyError", "main.py:1", "Arguments", "Traceback"):
        assert text in one


async def test_a_repeated_run_tells_what_is_new_and_what_is_gone(api: ApiServer) -> None:
    first = await api.create_run()
    await run_on(api, first, b"")
    await failed(api, first, "a" * 16)
    again = await api.ask("POST", f"/v1/workspaces/default/projects/demo/runs/{first['id']}/rerun", json={})
    second = again.json()["run"]
    await run_on(api, second, b"")
    await failed(api, second, "b" * 16)
    text = await page(api, f"{RUNS}/{second['id']}/problems")
    assert "1 new, 0 seen before, 1 gone" in text
    assert '<span class="count new">new</span>' in text
