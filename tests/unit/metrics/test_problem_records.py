from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from otlp_bodies import JSON, PROTOBUF, encoded, logs, pairs

from daftray.domain.problem import ProblemReport
from daftray.metrics.otlp_logs import read_logs
from daftray.metrics.problem_records import (
    LONGEST_CODE,
    LONGEST_MESSAGE,
    LONGEST_STACKTRACE,
    MOST_CAUSES,
    MOST_FRAMES,
    is_foreign,
    problem_reports,
)

RECEIVED = datetime(2030, 1, 1, tzinfo=UTC)
AT_NS = 1_793_534_400 * 10**9
TRACEBACK = """Traceback (most recent call last):
  File "/tmp/ray/session_1/working_dir_files/_ray_pkg_0/lib/score.py", line 12, in Model.score
    return self.call(x)
           ^^^^^^^^^^^^
  File "/opt/venv/lib/python3.12/site-packages/httpx/_client.py", line 9, in send
ValueError: no
"""


def read(
    given: dict[str, Any], content_type: str = JSON, *, process: str = "host-1", at_ns: int = AT_NS
) -> list[ProblemReport]:
    record = {"timeUnixNano": str(at_ns), "eventName": "exception", "attributes": pairs(given)}
    body = encoded(logs(record, **{"daftray.process": process}), content_type)
    return problem_reports(read_logs(body, content_type), attempt=2, received=RECEIVED)


OURS: dict[str, Any] = {
    "exception.type": "ValueError",
    "exception.message": "no",
    "daftray.problem.key": "1",
    "daftray.problem.count": 3,
}


@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_what_is_not_known_of_a_runners_problem_is_made_up_of_the_rest(content_type: str) -> None:
    (report,) = read(OURS, content_type)
    assert (report.process, report.key, report.count, report.handled) == ("host-1", "1", 3, "raise")
    assert (report.exception.type, report.exception.message, report.exception.frames) == (
        "ValueError",
        "no",
        [],
    )
    assert (report.udf, report.stacktrace, report.samples) == (None, None, ())
    assert report.first_seen == report.last_seen == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert not is_foreign(report)


@pytest.mark.parametrize(
    "odd",
    [
        {"daftray.problem.info": "{"},
        {"daftray.problem.info": '{"type": 3}'},
        {"daftray.problem.samples": '[{"at_ns": "x"}]'},
        {"daftray.problem.samples": "[" * 5000},
        {"daftray.problem.first_ns": "soon"},
        {"daftray.problem.first_ns": "9" * 40},
        {"daftray.problem.first_ns": "-5"},
        {"daftray.handled": "eaten"},
    ],
    ids=str,
)
def test_a_part_that_cannot_be_read_costs_no_count(odd: dict[str, Any]) -> None:
    (report,) = read({**OURS, **odd})
    assert (report.count, report.handled, report.exception.type) == (3, "raise", "ValueError")
    assert report.first_seen <= report.last_seen


@pytest.mark.parametrize(("told", "count"), [(0, 1), (-4, 1), (2**62, 2**53)])
def test_a_count_is_one_that_can_be(told: int, count: int) -> None:
    (report,) = read({**OURS, "daftray.problem.count": told})
    assert report.count == count


def test_a_time_that_was_not_told_is_when_it_came_in() -> None:
    (report,) = read(OURS, at_ns=0)
    assert report.last_seen == RECEIVED


def test_texts_are_bounded_and_keys_hold_no_nul() -> None:
    frame = {"file": "f" * 310, "line": -3, "function": "g", "code": "c" * 310}
    message = "m" * (LONGEST_MESSAGE + 1)
    cause = {"type": "K", "message": message, "causes": [{"type": "X", "message": ""}]}
    info = {**cause, "frames": [frame] * 150, "causes": [cause] * 12, "notes": ["n"] * 30}
    given = {
        **OURS,
        "daftray.problem.key": "a\0b",
        "daftray.udf": "\0",
        "exception.stacktrace": "s" * 99_999,
        "daftray.problem.info": json.dumps(info),
        "daftray.problem.samples": json.dumps(
            [{"at_ns": AT_NS, "message": message, "arguments": ["a" * 310] * 40}] * 9
        ),
    }
    (report,) = read(given)
    exception = report.exception
    assert (report.key, report.udf) == ("ab", None)
    assert len(report.stacktrace or "") == LONGEST_STACKTRACE
    assert (len(exception.frames), len(exception.causes), len(exception.notes)) == (
        MOST_FRAMES,
        MOST_CAUSES,
        10,
    )
    assert len(exception.message) == len(exception.causes[0].message) == LONGEST_MESSAGE
    assert exception.causes[0].causes == []
    assert (exception.frames[0].line, len(exception.frames[0].code or "")) == (0, LONGEST_CODE)
    assert len(exception.frames[0].file) == 300
    (sample, *others) = report.samples
    assert (len(others), len(sample.message), sample.attempt) == (4, LONGEST_MESSAGE, 2)
    assert [len(one) for one in sample.arguments or []] == [300] * 32


def test_other_codes_exceptions_are_told_by_their_traceback() -> None:
    given = {
        "exception.type": "ValueError",
        "exception.message": "no",
        "exception.stacktrace": TRACEBACK,
        "daftray.problem.info": '{"type": "Faked", "message": ""}',
    }
    (report,) = read(given)
    assert is_foreign(report)
    assert (report.process, report.count, report.handled) == ("host-1", 1, "log")
    assert report.exception.type == "ValueError"
    assert [(f.file, f.line, f.function, f.code, f.user) for f in report.exception.frames] == [
        ("lib/score.py", 12, "Model.score", "return self.call(x)", True),
        ("httpx/_client.py", 9, "send", None, False),
    ]
    assert report.samples[0].message == "no"
    assert read(given) == [report]
    (later,) = read(given, at_ns=AT_NS + 1000)
    assert later.key != report.key


def test_records_that_tell_of_no_exception_are_passed_over() -> None:
    assert read({"http.status": 500}) == []
    assert read({"exception.type": "", "daftray.problem.key": "1"}) == []
