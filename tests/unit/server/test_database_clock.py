"""What a server takes for the time: the database's, whatever its own clock says."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from factories import NOW
from fakes import FakeClock

from daftray.server.clock import DatabaseClock

SECOND = timedelta(seconds=1)


class Asked:
    """A database whose clock is off by ``off``, and that takes ``there`` and ``back`` seconds to tell it."""

    def __init__(self, own: FakeClock, off: float, *, there: float = 0.2, back: float = 0.2) -> None:
        self.own, self.off, self.there, self.back = own, off, there, back

    async def __call__(self) -> datetime:
        self.own.move(self.there)
        told = self.own.now() + self.off * SECOND
        self.own.move(self.back)
        return told


@pytest.mark.parametrize("off", [3600, -3600, 0.5])
async def test_it_is_the_databases_time_up_to_half_of_what_the_answer_took(off: float) -> None:
    own = FakeClock(NOW)
    clock = DatabaseClock(Asked(own, off, there=0.3, back=0.1), own)
    await clock.compare()
    for _ in range(2):
        assert abs(clock.now() - (own.now() + off * SECOND)) <= 0.2 * SECOND
        own.move(1000)


@pytest.mark.parametrize("there", [0, 0.1, 2])
async def test_on_one_machine_it_is_the_machines_time_exactly(there: float) -> None:
    own = FakeClock(NOW)
    clock = DatabaseClock(Asked(own, 0, there=there, back=0.1), own)
    await clock.compare()
    assert clock.now() == own.now()


async def test_a_clock_that_is_put_right_is_followed_and_a_large_difference_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    own = FakeClock(NOW)
    asked = Asked(own, 60)
    clock = DatabaseClock(asked, own)
    assert clock.now() == own.now()
    await clock.compare()
    await clock.compare()
    assert [record.getMessage() for record in caplog.records] == [
        "this machine's clock differs from the database's by 60.0 s: the database's counts"
    ]
    asked.off = 0
    await clock.compare()
    assert clock.now() == own.now()
