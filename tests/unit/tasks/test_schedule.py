"""Schedules: what is valid, what the advice is where one is not, and when they are due around summer time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftray.domain.trigger import CronTrigger, EndpointTrigger, EventTrigger, Trigger
from daftray.tasks import schedule

BERLIN = "Europe/Berlin"
SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)
"""The day before clocks go from 02:00 to 03:00 in Berlin."""
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)
"""The day before they go from 03:00 back to 02:00."""


def cron(text: str, zone: str = "UTC") -> Trigger:
    return Trigger(cron=CronTrigger(schedule=text, timezone=zone))


def times(text: str, after: datetime, zone: str = BERLIN, count: int = 3) -> list[str]:
    trigger = CronTrigger(schedule=text, timezone=zone)
    return [time.isoformat() for time in schedule.next_times(trigger, after, count)]


@pytest.mark.parametrize(
    "text",
    ["* * * * *", "*/15 0-6,22 1,15 * MON-FRI", "0 2 * * 7", "0 0 L * *", "0 9 * * MON#1", "0 0 29 2 *"],
)
def test_what_cron_knows_is_valid(text: str) -> None:
    assert schedule.check([cron(text), cron(text, BERLIN)]) == []
    assert len(schedule.next_times(CronTrigger(schedule=text), SPRING, 5)) == 5


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("60 * * * *", ["'60' is no minute: give *, a number, a range such as 1-5"]),
        ("* 24 * * *", ["of 0 to 23"]),
        ("* * 0 13 8", ["no day of the month", "no month", "no day of the week"]),
        ("x y * * *", ["'x' is no minute", "'y' is no hour"]),
        ("*/0 * * * *", ["no minute"]),
        ("0 0 31 2 *", ["no date is ever like that"]),
        ("* * * *", ["give five fields (minute, hour, day of the month, month, day of the week), not 4"]),
        ("0 * * * * *", ["not 6"]),
        (" ", ["not 0"]),
        ("@daily", ["write @daily as 0 0 * * *"]),
        ("@reboot", ["not 1"]),
        ("MON#1/2 * * * *", ["no minute"]),
        ("* * * * 1#2/3", ["no day of the week"]),
    ],
)
def test_each_bad_field_has_its_advice(text: str, advice: list[str]) -> None:
    found = schedule.check([cron("* * * * *"), cron(text)])
    assert {issue.path for issue in found} == {"triggers[1].cron.schedule"}
    assert len(found) == len(advice)
    for issue, part in zip(found, advice, strict=True):
        assert part in issue.message


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "a\0b"])
def test_a_zone_that_is_none_is_told_beside_the_schedule(zone: str) -> None:
    found = schedule.check([cron("61 * * * *", zone)])
    assert [issue.path for issue in found] == ["triggers[0].cron.schedule", "triggers[0].cron.timezone"]


def test_a_trigger_is_one_thing() -> None:
    both = Trigger(event=EventTrigger(), endpoint=EndpointTrigger())
    assert [issue.path for issue in schedule.check([Trigger(), both])] == ["triggers[0]", "triggers[1]"]
    assert schedule.check([Trigger(event=EventTrigger()), Trigger(endpoint=EndpointTrigger())]) == []


def test_the_hour_that_spring_leaves_out_is_made_up_for_once() -> None:
    assert times("30 2 * * *", SPRING) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
        "2026-03-31T02:30:00+02:00",
    ]


def test_the_hour_that_autumn_repeats_counts_once_for_a_time_of_day_and_twice_for_each_hour() -> None:
    assert times("30 2 * * *", AUTUMN, count=2) == ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]
    assert times("0 * * * *", datetime(2026, 10, 24, 23, 30, tzinfo=UTC)) == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]


def test_the_time_that_is_now_is_not_the_next_one() -> None:
    at = datetime(2026, 1, 1, 2, tzinfo=UTC)
    assert times("0 2 * * *", at, "UTC", 1) == ["2026-01-02T02:00:00+00:00"]


def test_the_outlook_has_five_times_and_says_that_nothing_starts_yet() -> None:
    outlook = schedule.outlook(cron("0 2 * * *", BERLIN), SPRING)
    assert len(outlook.next) == 5
    assert not outlook.fires
    assert "does not start runs yet" in outlook.detail
    assert schedule.outlook(Trigger(endpoint=EndpointTrigger()), SPRING).next == ()


CHARACTERS = st.text(alphabet="0123456789*/-,#LWMONJAN @\n\u0661", max_size=12)


@given(st.lists(CHARACTERS, min_size=5, max_size=5).map(" ".join) | st.text(max_size=200))
def test_any_text_is_a_schedule_or_has_advice(text: str) -> None:
    trigger = cron(text, BERLIN)
    if not schedule.check([trigger]):
        after = SPRING
        for time in schedule.outlook(trigger, SPRING).next:
            assert after < time < SPRING + timedelta(days=366 * 300)
            after = time
