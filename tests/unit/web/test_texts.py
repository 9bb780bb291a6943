"""How pages write times, lengths and amounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daftray.web import texts

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, texts.UNKNOWN),
        (0, "0 ms"),
        (0.85, "850 ms"),
        (-1, "0 ms"),
        (12.49, "12.4 s"),
        (59.99, "59.9 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 05 min"),
        (90_000, "1 d 01 h"),
    ],
)
def test_lengths_of_time(seconds: float | None, text: str) -> None:
    assert texts.duration(seconds) == text


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (-5, "just now"),
        (4, "just now"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (7200, "2 h ago"),
        (10**6, "11 d ago"),
    ],
)
def test_how_long_ago(passed: int, text: str) -> None:
    assert texts.ago(NOW - timedelta(seconds=passed), NOW) == text


def test_times_are_exact_for_people_and_machines() -> None:
    assert texts.instant(NOW) == "2026-11-30 12:00:00 UTC"
    assert texts.iso(NOW) == "2026-11-30T12:00:00Z"


@pytest.mark.parametrize(
    ("value", "text", "short"),
    [
        (None, texts.UNKNOWN, texts.UNKNOWN),
        (0, "0", "0"),
        (1234.0, "1,234", "1,234"),
        (12_345, "12,345", "12.3k"),
        (4_560_000, "4,560,000", "4.56M"),
        (0.25, "0.25", "0.2"),
        (1.5, "1.50", "1.50"),
    ],
)
def test_amounts(value: float | None, text: str, short: str) -> None:
    assert texts.number(value) == text
    assert texts.short_number(value) == short


def test_what_is_unknown_is_no_zero() -> None:
    assert {texts.dollars(None), texts.size(None), texts.short(None)} == {texts.UNKNOWN}
    assert [texts.dollars(value) for value in (0, 0.00123, 12.5)] == ["$0.00", "$0.0012", "$12.50"]
    assert [texts.size(value) for value in (0, 1023, 1024, 10 << 20)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "10 MiB",
    ]


def test_of_a_long_text_the_line_that_says_why_is_shown() -> None:
    assert texts.in_short("one\ntwo") == "one\ntwo"
    trace = "RayTaskError: task\n  File x\n    call()\n    ^^^^^^\nValueError: no float: 'x'\n    ~~~~^^\n\n"
    assert texts.in_short(trace) == "ValueError: no float: 'x'"
    assert texts.in_short("x" * 5000) == "x" * 600 + "…"
