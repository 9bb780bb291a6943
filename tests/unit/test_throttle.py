"""Rate limits, at a time that a test moves."""

from __future__ import annotations

import pytest
from fakes import FakeClock

from daftray.adapters.throttle.windows import BoundedWindows, WindowThrottle
from daftray.domain.errors import TooManyRequestsError
from daftray.domain.throttle import Rate

RATE = Rate(name="knock", tries=3, seconds=60)


def refused(throttle: WindowThrottle, who: str = "a", rate: Rate = RATE) -> int:
    with pytest.raises(TooManyRequestsError) as caught:
        throttle.hit(rate, who)
    assert rate.name in caught.value.detail
    return caught.value.retry_after_s


def test_so_many_tries_pass_and_the_next_is_told_when_to_come_back() -> None:
    clock = FakeClock()
    throttle = WindowThrottle(clock)
    for _ in range(3):
        throttle.hit(RATE, "a")
    clock.move(20)
    assert refused(throttle) == 40
    clock.move(39.5)
    assert refused(throttle) == 1
    clock.move(0.5)
    throttle.hit(RATE, "a")


def test_a_look_counts_nothing() -> None:
    throttle = WindowThrottle(FakeClock())
    for _ in range(9):
        throttle.check(RATE, "a")
    for _ in range(3):
        throttle.hit(RATE, "a")
    with pytest.raises(TooManyRequestsError):
        throttle.check(RATE, "a")


def test_each_counts_for_itself_and_so_does_each_rate() -> None:
    throttle = WindowThrottle(FakeClock())
    for _ in range(3):
        throttle.hit(RATE, "a")
    throttle.hit(RATE, "b")
    throttle.hit(Rate(name="ring", tries=1, seconds=60), "a")
    refused(throttle)


def windows_of(throttle: WindowThrottle) -> dict[str, list[str]]:
    """Return who is counted, by rate."""
    storages = {name: one.storage for name, one in throttle._limiters.items()}
    assert all(isinstance(one, BoundedWindows) for one in storages.values())
    return {name: list(one._windows) for name, one in storages.items() if isinstance(one, BoundedWindows)}


def test_many_callers_take_no_more_room_and_do_not_push_out_other_rates() -> None:
    throttle = WindowThrottle(FakeClock(), bound=10)
    other = Rate(name="ring", tries=1, seconds=60)
    throttle.hit(other, "victim")
    for n in range(1000):
        throttle.hit(RATE, f"attacker {n}")
    sizes = {name: len(windows) for name, windows in windows_of(throttle).items()}
    assert sizes == {"knock": 10, "ring": 1}
    refused(throttle, "victim", other)


def test_a_long_name_is_cut() -> None:
    throttle = WindowThrottle(FakeClock())
    for _ in range(3):
        throttle.hit(RATE, "a" * 100_000)
    refused(throttle, "a" * 100_000)
    assert sum(len(key) for windows in windows_of(throttle).values() for key in windows) < 1000
