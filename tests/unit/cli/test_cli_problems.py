from __future__ import annotations

import pytest
from factories import a_frame, a_problem, a_sample, an_exception, at
from shell import Shell
from small_api import SmallApi
from small_server import Answer, as_json, as_problem

from daftray.domain.problem import ProblemComparison, ProblemDetail, SourceLines

P = ("--project", "scoring")
F = "f" * 16


def test_a_problem_is_shown_with_its_code_and_samples(shell: Shell, api: SmallApi) -> None:
    frames = [a_frame(file="asyncio/runners.py", user=False, code="run()"), a_frame(line=3)]
    problem = a_problem(
        udf="embed",
        count=3,
        frames=frames,
        causes=[an_exception(type="KeyError", message="'x'")],
        notes=["row 3"],
    )
    link = "https://github.com/acme/scoring/blob/abc/main.py#L3"
    detail = ProblemDetail(
        problems=[problem],
        samples=[a_sample(message="no\nway", arguments=["'a'", "1"]), a_sample(at=at(1), worker=None)],
        source=[None, SourceLines(file="main.py", first=2, lines=["def f():", "    fail()", ""], link=link)],
    )
    api.server.on(f"GET {api.run}/problems/{F}", as_json(detail))

    assert shell.run("runs", "problems", "run_1", F, *P) == 0
    assert shell.out.splitlines() == [
        "ValueError: no in UDF embed (3 times)",
        "  attempt 1: 3 times, raise, 2026-11-01 12:00:00Z to 2026-11-01 12:00:00Z",
        "  asyncio/runners.py:3 in main",
        "    run()",
        "  main.py:3 in main",
        f"  {link}",
        "        2  def f():",
        "  >     3      fail()",
        "        4",
        "  caused by KeyError: 'x'",
        "  note: row 3",
        "samples:",
        "  2026-11-01 12:00:00Z in driver: no way called with ('a', 1)",
        "  2026-11-01 12:00:01Z: no",
    ]
    shell.run("runs", "problems", "run_1", F, *P, "--json")
    assert shell.json["problems"][0]["count"] == 3


def test_runs_are_compared(shell: Shell, api: SmallApi) -> None:
    comparison = ProblemComparison(run="run_0", new=[a_problem()], seen=[], gone=[a_problem(type="OSError")])
    api.server.on(f"GET {api.run}/problems", as_json({"problems": [], "comparison": comparison}))

    assert shell.run("runs", "problems", "run_1", *P, "--against", "run_0") == 0
    lines = shell.out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["new: 1", "seen before: 0", "gone: 1"]
    assert "  ValueError: no" in lines
    (asked,) = api.server.requests(f"GET {api.run}/problems")
    assert asked.query == {"against": "run_0"}
    shell.run("runs", "problems", "run_1", *P, "--against", "run_0", "--json")
    assert shell.json["gone"][0]["type"] == "OSError"


@pytest.mark.parametrize("words", [[F, "--against", "run_0"], ["--against", "run_0", "--attempt", "1"]])
def test_what_cannot_be_asked_together_is_refused(shell: Shell, api: SmallApi, words: list[str]) -> None:
    assert api.run
    assert shell.run("runs", "problems", "run_1", *P, *words) == 2
    assert "error[invalid-input]" in shell.err


def test_a_server_that_compares_nothing_is_not_taken_for_one_without_news(
    shell: Shell, api: SmallApi
) -> None:
    api.server.on(f"GET {api.run}/problems", as_json({"problems": []}))
    assert shell.run("runs", "problems", "run_1", *P, "--against", "run_0") == 1
    assert "error[answer-not-understood]" in shell.err


def test_a_file_of_the_run_is_printed_as_it_is(shell: Shell, api: SmallApi) -> None:
    route = f"GET {api.run}/source/lib/%C3%A4%20b.py"
    api.server.on(route, Answer(b"A = 1\n\x1b[1m", kind="text/plain"))
    assert shell.run("runs", "source", "run_1", "lib/ä b.py", *P) == 0
    assert shell.out_bytes == b"A = 1\n\x1b[1m"
    api.server.on(f"GET {api.run}/source/gone.py", as_problem("file-not-found", 404, "no such file"))
    assert shell.run("runs", "source", "run_1", "gone.py", *P) == 1
    assert shell.err == "error[file-not-found]: no such file\n"
