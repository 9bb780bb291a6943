"""Ids sort by time, never repeat, and fit wherever they have to."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from factories import NOW
from hypothesis import given
from hypothesis import strategies as st

from daftray.domain.ids import Ids, earliest_id, earliest_id_of, millisecond_of

TIMES = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 (hypothesis adds the zone)
    max_value=datetime(9999, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(TIMES, TIMES)
def test_ids_sort_by_time(one: datetime, other: datetime) -> None:
    ids = Ids()
    earlier, later = sorted((one, other))
    if later - earlier >= timedelta(milliseconds=1):
        assert ids.new("run", earlier) < ids.new("run", later)


@given(TIMES)
def test_an_id_is_between_the_bounds_of_its_millisecond(at: datetime) -> None:
    lowest, highest = Ids(lambda _: 0), Ids(lambda bits: 2**bits - 1)
    assert lowest.new("run", at) == earliest_id("run", at)
    assert highest.new("run", at) < earliest_id("run", at + timedelta(milliseconds=2))


@given(TIMES)
def test_an_id_tells_its_millisecond(at: datetime) -> None:
    millisecond = millisecond_of("run", Ids().new("run", at))
    assert millisecond is not None
    assert earliest_id_of("run", millisecond) == earliest_id("run", at)


@pytest.mark.parametrize(
    "text", ["", "run_", "zzz", f"prj_{'0' * 26}", f"run_{'0' * 25}U", f"run_{'0' * 27}"]
)
def test_what_is_no_id_of_that_kind_has_no_millisecond(text: str) -> None:
    assert millisecond_of("run", text) is None


def test_a_bound_before_ids_began_is_before_all_of_them() -> None:
    assert earliest_id("run", datetime.min.replace(tzinfo=UTC)) == f"run_{'0' * 26}"


def test_an_id_is_its_kind_and_26_lower_case_characters() -> None:
    assert re.fullmatch(r"prj_[0-9a-hjkmnp-tv-z]{26}", Ids().new("prj", NOW))


def test_ids_of_one_millisecond_differ_and_keep_the_order_in_which_they_were_made() -> None:
    ids = Ids()
    made = [ids.new("run", NOW) for _ in range(10_000)]
    assert len(set(made)) == 10_000
    assert made == sorted(made)
    assert len({Ids().new("run", NOW) for _ in range(1_000)}) == 1_000, "other servers' differ, too"


def test_a_clock_that_goes_back_takes_its_ids_along() -> None:
    ids = Ids()
    assert ids.new("run", NOW) > ids.new("run", NOW - timedelta(seconds=1))
    assert ids.new("run", NOW) < ids.new("run", NOW + timedelta(milliseconds=1))


def test_the_layout_is_that_of_the_ulid_specification() -> None:
    """The example of the specification: 01ARYZ6S41 is the time part of 1469918176385 ms."""
    at = datetime.fromtimestamp(1469918176.385, tz=UTC)
    assert Ids(lambda _: 0).new("run", at)[4:14] == "01aryz6s41"


@pytest.mark.parametrize("repeat", range(3))
def test_tokens_are_long_and_new(repeat: int) -> None:
    del repeat
    one, other = Ids().token(), Ids().token()
    assert one != other
    assert len(one) >= 43
