"""How ``daftray run`` tells how a run ended: exit code, reason, exception, result, usage."""

from __future__ import annotations

import pytest
from factories import a_problem
from msgspec.structs import replace
from shell import Shell
from small_api import SmallApi
from small_server import as_json, as_problem

from daftray.domain.metrics import CpuSeconds, RunMetrics
from daftray.domain.problem import Frame
from daftray.domain.result import Column, RunResult
from daftray.domain.status import FailureReason, RunStatus


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("status", "exit_code", "expected"),
    [
        (RunStatus.FAILED, 3, 3),
        (RunStatus.FAILED, 125, 125),
        (RunStatus.FAILED, 126, 1),
        (RunStatus.FAILED, 0, 1),
        (RunStatus.FAILED, -9, 1),
        (RunStatus.FAILED, None, 1),
        (RunStatus.CANCELLED, None, 130),
        (RunStatus.CANCELLED, 1, 130),
        (RunStatus.SUCCEEDED, 0, 0),
    ],
)
def test_the_exit_code_tells_how_it_ended(
    shell: Shell, api: SmallApi, status: RunStatus, exit_code: int | None, expected: int
) -> None:
    api.ended = replace(api.ended, status=status, exit_code=exit_code)

    assert shell.run("run", "main.py") == expected


@pytest.mark.usefixtures("tree")
def test_a_failure_shows_reason_exception_and_the_users_own_frames(shell: Shell, api: SmallApi) -> None:
    api.ended = replace(
        api.ended,
        status=RunStatus.FAILED,
        exit_code=1,
        reason=FailureReason.USER_ERROR,
        reason_detail="ValueError: bad row",
        warnings=("a file is an LFS pointer",),
    )
    frames = [
        Frame(file="site-packages/daft/x.py", line=9, function="inside"),
        Frame(file="pipelines/score.py", line=12, function="main", code="  raise ValueError(row)", user=True),
    ]
    other = a_problem(type="KeyError", count=90, handled="log")
    raised = a_problem(message="bad row", frames=frames)
    api.server.on(f"GET {api.run}/problems", as_json({"problems": [other, raised]}))

    shell.run("run", "main.py")

    assert "failed after 3.0 s: user_error (exit code 1): ValueError: bad row" in shell.err
    assert shell.err.count("ValueError: bad row") == 1
    assert "  pipelines/score.py:12 in main\n    raise ValueError(row)\n" in shell.err
    assert "site-packages" not in shell.err
    assert "KeyError" not in shell.err
    assert "warning: a file is an LFS pointer" in shell.err


@pytest.mark.usefixtures("tree")
def test_a_success_shows_result_and_usage(shell: Shell, api: SmallApi) -> None:
    table = RunResult(
        kind="table",
        columns=[Column(name="word", type="Utf8"), Column(name="score", type="Float64")],
        rows=1234,
        preview=[{"word": "a\x1b[31mb", "score": 0.5}, {"word": None, "score": 2.0}],
    )
    metrics = RunMetrics(requests=12, tokens_in=3456, cpu_seconds=CpuSeconds(allocated=1.25))
    api.server.on(f"GET {api.run}/results/preview", as_json(table))
    api.server.on(f"GET {api.run}/metrics", as_json(metrics))

    shell.run("run", "main.py")

    assert "word        score\na\\x1b[31mb  0.5\n-           2\n(1,234 rows)" in shell.err
    assert "usage: 12 requests, 3,456 tokens in, 1.2 CPU seconds" in shell.err
    assert "tokens out" not in shell.err


@pytest.mark.usefixtures("tree")
def test_a_summary_that_lacks_its_parts_is_still_one(shell: Shell, api: SmallApi) -> None:
    for part in ("results/preview", "metrics", "problems"):
        api.server.on(f"GET {api.run}/{part}", as_problem("internal", 500))

    assert shell.run("run", "main.py") == 0
    assert "run_1 succeeded" in shell.err
