"""A run's exceptions in a browser: what is shown of them, and the code around their frames, all as text."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from api_runs import end, run_on
from api_server import BASE, ApiServer, api_server
from browsing import PAGE
from msgspec.structs import replace

from daftray.domain.problem import ExceptionInfo, Frame, ProblemReport, ProblemSample
from daftray.domain.report import FinishedReport
from daftray.domain.run import Verdict
from daftray.domain.status import RunStatus

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
    again = await api.ask("POST", f"{BASE}/demo/runs/{first['id']}/rerun", json={})
    second = again.json()["run"]
    await run_on(api, second, b"")
    await failed(api, second, "b" * 16)
    text = await page(api, f"{RUNS}/{second['id']}/problems")
    assert "the run that this one repeats</a>: 1 new, 0 seen before, 1 gone" in text
    assert badges(text) == ["new", "gone"]
    assert "Gone since the run that this one repeats" in text
    assert f"{RUNS}/{first['id']}/problems/{'a' * 16}" in text
    one = await page(api, f"{RUNS}/{second['id']}/problems/{'b' * 16}")
    assert badges(one) == ["new"]


def badges(text: str) -> list[str]:
    return re.findall(r'<span class="count (new|seen|gone)"', text)


async def of_task(api: ApiServer, fingerprint: str | None, *, status: RunStatus | None) -> dict[str, Any]:
    """Start the task, and let the run raise and end; one that has no end is left as it is."""
    answer = await api.ask("POST", f"{BASE}/demo/tasks/nightly/runs", json={})
    assert answer.status_code == 201, answer.text
    run = answer.json()["run"]
    if status is not None:
        await run_on(api, run, b"")
        if fingerprint is not None:
            await failed(api, run, fingerprint)
        await end(api, run, Verdict(status=status))
    return run


async def test_a_run_of_a_task_is_measured_by_the_last_run_of_the_task(api: ApiServer) -> None:
    first = await api.create_run()
    path = f"{BASE}/demo/runs/{first['id']}/save-as-task"
    assert (await api.ask("POST", path, json={"name": "nightly"})).status_code == 201
    one = await of_task(api, "a" * 16, status=RunStatus.FAILED)
    alone = await page(api, f"{RUNS}/{one['id']}/problems")
    assert badges(alone) == []
    await of_task(api, None, status=None)  # cancelled before it began: nothing to measure by
    two = await of_task(api, "a" * 16, status=RunStatus.FAILED)
    text = await page(api, f"{RUNS}/{two['id']}/problems")
    assert f'href="{RUNS}/{one["id"]}">the task&#39;s run before</a>: 0 new, 1 seen before, 0 gone' in text
    three = await of_task(api, None, status=RunStatus.SUCCEEDED)
    text = await page(api, f"{RUNS}/{three['id']}/problems")
    assert f'href="{RUNS}/{two["id"]}">the task&#39;s run before</a>: 0 new, 0 seen before, 1 gone' in text
    named = await page(api, f"{RUNS}/{two['id']}/problems?against={three['id']}")
    assert "another run</a>: 1 new" in named
    none = await api.ask("GET", f"{RUNS}/{two['id']}/problems?against=run_none", headers=PAGE)
    assert none.status_code == 404


async def test_code_is_coloured_and_the_whole_trace_can_be_copied(api: ApiServer) -> None:
    code = "def main():\n    if 1:\n        raise ValueError('no <b>')  # why\n"
    commit = api.repo.commit({"main.py": code})
    run = await api.create_run()
    stored = await run_on(api, run, b"")
    context = api.services.reconciler._context
    await context.runs.save(replace(stored, commit=commit), (), context.claim)
    frames = [
        Frame(file="main.py", line=3, function="main", user=True),
        Frame(file="x.so", line=1, function="c"),
    ]
    cause = ExceptionInfo(type="KeyError", message="'k'", frames=frames[:1])
    report = ProblemReport(
        process="p",
        key="1",
        fingerprint="c" * 16,
        first_seen=AT,
        last_seen=AT,
        exception=ExceptionInfo(type="ValueError", message="no <b>", frames=frames, causes=[cause]),
        samples=tuple(ProblemSample(at=AT, message=f"sample {number}") for number in range(2)),
    )
    await api.services.run_problems._store.fold(run["id"], 1, [report])
    text = await page(api, f"{RUNS}/{run['id']}/problems/{'c' * 16}")
    for shown in (
        '<span class="keyword">def</span> <span class="defined">main</span>():',
        '<span class="string">&#39;no &lt;b&gt;&#39;</span>',
        '<span class="comment"># why</span>',
        'class="line here"><span class="at">3</span>',
        "Its code is not known",
        '<copy-text from="trace"',
        "ValueError: no &lt;b&gt;",
        "1 frames</summary>",
    ):
        assert shown in text
    assert text.count('<details class="sample"') == 2
    assert text.index("KeyError: &#39;k&#39;") < text.index("ValueError: no &lt;b&gt;")
