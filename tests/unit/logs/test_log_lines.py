from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from daftray.logs.lines import LONGEST_LINE, LogText, split_lines, timestamp, whole_lines


@given(
    data=st.binary(max_size=200) | st.text("a\nü€", max_size=100).map(str.encode),
    offset=st.integers(0, 1 << 40),
)
def test_lines_put_together_are_the_text(data: bytes, offset: int) -> None:
    lines = split_lines(data, offset, final=True)
    text = data.decode(errors="replace") if b"\n" not in data else None
    joined = "\n".join(line.message for line in lines)
    if text is not None:
        assert joined == text
    assert joined.count("\n") + data.endswith(b"\n") == data.count(b"\n")
    assert [line.offset for line in lines] == sorted(line.offset for line in lines)
    assert (lines[-1].offset if lines else offset) == offset + len(data)


def test_a_last_line_waits_for_its_end() -> None:
    assert [(line.offset, line.message) for line in split_lines(b"one\ntw", 10, final=False)] == [(14, "one")]
    assert split_lines(b"tw", 14, final=False) == []
    assert [(line.offset, line.message) for line in split_lines(b"tw", 14, final=True)] == [(16, "tw")]


def test_bytes_that_are_no_utf8_show_as_such_and_still_count() -> None:
    (line,) = split_lines(b"a\xff\xfeb\n", 0, final=False)
    assert (line.offset, line.message) == (5, "a\ufffd\ufffdb")


def test_a_very_long_line_is_cut_between_characters() -> None:
    text = ("x" + "€" * LONGEST_LINE).encode()
    lines = split_lines(text + b"\n", 0, final=False)
    assert "".join(line.message for line in lines).encode() == text
    assert all("\ufffd" not in line.message for line in lines)
    assert max(len(line.message.encode()) for line in lines) <= LONGEST_LINE
    assert lines[-1].offset == len(text) + 1


def test_a_line_of_just_the_bound_is_not_followed_by_an_empty_one() -> None:
    for length in (LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1):
        lines = split_lines(b"x" * length + b"\nnext\n", 0, final=False)
        assert "".join(line.message for line in lines) == "x" * length + "next"
        assert [line.message for line in lines].count("") == 0


def test_times_have_six_digits_always() -> None:
    assert timestamp(datetime(2026, 1, 31, 10, 30, 1, tzinfo=UTC)) == "2026-01-31T10:30:01.000000Z"


def test_text_ends_with_a_line() -> None:
    assert whole_lines(b"one\ntwo\nth", 5, final=False, longest=100) == LogText(13, "one\ntwo\n")
    assert whole_lines(b"th", 13, final=False, longest=100) is None
    assert whole_lines(b"th", 13, final=True, longest=100) == LogText(15, "th")


def test_text_of_a_line_without_an_end_is_cut_between_characters() -> None:
    for extra in range(3):
        data = ("x" * extra + "€" * 100).encode()
        part = whole_lines(data, 0, final=False, longest=100)
        assert part is not None
        assert len(data) - 7 <= part.offset < len(data)
        rest = whole_lines(data[part.offset :], part.offset, final=True, longest=100)
        assert rest is not None
        assert part.text + rest.text == data.decode()
