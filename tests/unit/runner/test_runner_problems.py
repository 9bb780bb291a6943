"""Exceptions of a process: equal ones counted exactly, described once, bounded, and sent until taken."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Generator

import msgspec
import pytest
from control_stub import TOKEN, ControlStub
from runner_process import Runs, file

from daftray.domain.problem import ExceptionInfo, fingerprint
from daftray.runner import ending, failure, problems, report
from daftray.runner.problems import MAX_PROBLEMS, MAX_SAMPLES, MAX_SHAPES, Problems
from daftray.runner.process import Reporter
from daftray.runner.settings import CHILD, RunSettings

ROOT = __file__.rpartition("/")[0]


@pytest.fixture
def told() -> Problems:
    ticks = itertools.count(100)
    return Problems("p", ROOT, lambda: None, now_ns=lambda: next(ticks))


def caught(call: Callable[..., object], *arguments: object) -> Exception:
    try:
        call(*arguments)
    except Exception as error:  # noqa: BLE001 (whatever it is)
        return error
    raise AssertionError("it did not fail")


def divide(by: int) -> float:
    return 1 / by


def parse(text: str) -> int:
    if text.startswith("#"):
        raise ValueError(f"a comment: {text}")
    return int(text)


def recur(depth: int) -> None:
    if depth == 0:
        raise RecursionError("enough")
    recur(depth - 1)


def test_equal_exceptions_are_one_problem_with_an_exact_count(told: Problems) -> None:
    for at in range(1000):
        told.add(caught(parse, f"#{at}"), udf="m.parse", handled="ignore")
    told.add(caught(divide, 0), udf="m.divide")

    (first, count), (second, once) = told.changed()
    assert (first.info["type"], first.info["message"], first.udf, count) == (
        "ValueError",
        "a comment: #0",
        "m.parse",
        1000,
    )
    assert (second.info["type"], second.udf, second.handled, once) == (
        "ZeroDivisionError",
        "m.divide",
        "raise",
        1,
    )
    assert first.first_ns == 100
    assert first.last_ns == 1099
    assert [sample["message"] for sample in first.samples] == [
        f"a comment: #{at}" for at in range(MAX_SAMPLES)
    ]
    assert first.info["frames"][-1]["function"] == "parse"
    assert "a comment" in first.stacktrace


def test_one_key_has_one_fingerprint_however_deep_or_wherever_in_the_function(told: Problems) -> None:
    """What the server groups by must be the same for all that a key counts, or its counts would be wrong."""
    for depth in range(MAX_SHAPES + 50):
        told.add(caught(recur, depth % 40))
    told.add(caught(parse, "x"), udf="m.parse")
    told.add(caught(parse, "#"), udf="m.parse")

    found = told.changed()
    infos = [msgspec.convert(problem.info, ExceptionInfo) for problem, _ in found]
    prints = {fingerprint(info, problem.udf) for info, (problem, _) in zip(infos, found, strict=True)}
    assert [count for _, count in found] == [MAX_SHAPES + 50, 2]
    assert len(prints) == 2


def test_what_became_of_it_tells_problems_apart(told: Problems) -> None:
    for handled in ("retry", "retry", "raise"):
        told.add(caught(divide, 0), handled=handled)

    assert [(problem.handled, count) for problem, count in told.changed()] == [("retry", 2), ("raise", 1)]


def test_kinds_without_end_are_counted_together(told: Problems) -> None:
    for at in range(MAX_PROBLEMS + 20):
        told.add(caught(divide, 0), udf=f"udf{at}")

    found = told.changed()
    assert len(found) == MAX_PROBLEMS + 1
    assert (found[-1][0].info["type"], found[-1][1]) == ("daftray.OtherProblems", 20)


def test_a_long_chain_of_causes_does_not_make_a_large_report(told: Problems) -> None:
    error = caught(recur, 200)
    for at in range(20):
        outer = RuntimeError(f"{at}" * 4000)
        outer.__cause__ = error
        outer.__traceback__ = caught(recur, 200).__traceback__
        error = outer
    told.add(error)

    ((problem, _),) = told.changed()
    assert len(msgspec.json.encode(problem.info)) < 3 * problems.LARGEST_INFO
    assert len(problem.stacktrace) <= problems.LARGEST_STACKTRACE


def test_an_exception_that_cannot_be_asked_breaks_nothing(told: Problems) -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise KeyError("no")

        def __getattribute__(self, name: str) -> object:
            if name == "__dict__":
                raise OSError("no")
            return super().__getattribute__(name)

    told.add(BrokenError())

    assert [(problem.info["type"].rpartition(".")[2], count) for problem, count in told.changed()] == [
        ("BrokenError", 1)
    ]


def test_an_exception_is_known_in_the_process_that_counted_it_only(told: Problems) -> None:
    error = caught(divide, 0)
    told.add(error)
    elsewhere = Problems("q", ROOT, lambda: None)

    known = told.known(error)
    assert known is not None
    assert known.key == "1"
    assert elsewhere.known(error) is None
    assert told.known(caught(divide, 0)) is None


def test_threads_count_exactly(told: Problems) -> None:
    def fail() -> None:
        for _ in range(500):
            told.add(caught(divide, 0))

    threads = [threading.Thread(target=fail) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [count for _, count in told.changed()] == [4000]


def test_the_printed_trace_has_no_frames_of_the_runner() -> None:
    def within_the_runner() -> None:
        failure.describe(None, ROOT)  # type: ignore[arg-type] (it is to fail in there)

    assert "test_runner_problems" in failure.stacktrace(caught(within_the_runner))
    assert "runner/failure.py" not in failure.stacktrace(caught(within_the_runner))


@pytest.fixture
def reporter(control: ControlStub, monkeypatch: pytest.MonkeyPatch) -> Generator[Reporter]:
    made = Reporter(CHILD, RunSettings(run_id="run_01", attempt=1, report_url=control.url, token=TOKEN))
    monkeypatch.setattr(report._Process, "reporter", made)
    yield made
    made.close()


def test_problems_are_sent_by_themselves_and_again_only_when_they_grow(
    control: ControlStub, reporter: Reporter
) -> None:
    reporter.problems().add(caught(divide, 0), udf="m.divide", arguments=["0"])
    control.wait_until(lambda: len(control.problems()) == 1)
    reporter.counters.add("m", 1, ())
    reporter.flush()
    assert len(control.ending("/v1/logs")) == 1
    reporter.problems().add(caught(divide, 0), udf="m.divide")
    reporter.flush()

    (((process, key), record),) = control.problems().items()
    assert (process, key) == (reporter.problems().process, "1")
    assert (record["count"], record["exception.type"], record["daftray.udf"], record["daftray.handled"]) == (
        2,
        "ZeroDivisionError",
        "m.divide",
        "raise",
    )
    assert record["samples"][0]["arguments"] == ["0"]
    assert {"at_ns", "message", "worker"} <= set(record["samples"][0])
    assert int(record["daftray.problem.first_ns"]) <= record["at_ns"]
    assert record["exception.stacktrace"].endswith("ZeroDivisionError: division by zero\n")
    assert "daftray.udf" not in msgspec.json.encode(record["info"]).decode()


def test_problems_that_are_not_taken_now_are_sent_again(control: ControlStub, reporter: Reporter) -> None:
    control.failures["logs"] = [503, 429]

    reporter.problems().add(caught(divide, 0))

    control.wait_until(lambda: [each["count"] for each in control.problems().values()] == [1])


def test_a_control_plane_that_takes_no_problems_still_gets_the_counts(
    control: ControlStub, reporter: Reporter, capsys: pytest.CaptureFixture[str]
) -> None:
    control.failures["logs"] = [404] * 10
    reporter.problems().add(caught(divide, 0))
    reporter.flush()
    reporter.counters.add("m", 1, ())
    reporter.flush()

    assert control.total("m") == 1
    assert len(control.failures["logs"]) == 9
    assert capsys.readouterr().err.startswith(
        "daftray: problems of this process are not shown: the control plane"
    )


def test_the_runs_own_exception_says_under_what_it_was_counted(reporter: Reporter) -> None:
    seen, unseen = caught(divide, 0), caught(parse, "x")
    reporter.problems().add(seen, udf="m.divide")

    assert ending.raised(unseen, ROOT).problem is None
    end = ending.raised(seen, ROOT)
    assert end.problem == {"process": reporter.problems().process, "key": "1", "udf": "m.divide"}
    assert end.exception == reporter.problems().changed()[0][0].info


def test_a_forked_child_has_problems_of_its_own(runs: Runs) -> None:
    source = """
import os
from daftray.runner import report
def fail():
    try: 1 / 0
    except ZeroDivisionError as error: report.problems().add(error)
fail()
if os.fork() == 0:
    fail()
    raise SystemExit
os.wait()
fail()
"""
    runs.write({"main.py": source})

    runs.run(file("main.py"))

    found = runs.control.problems()
    assert sorted(each["count"] for each in found.values()) == [1, 2]
    assert len({process for process, _ in found}) == 2
