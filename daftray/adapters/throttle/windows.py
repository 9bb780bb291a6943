"""Rate limits by fixed windows, in this process's memory: each server of several counts for itself."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

from limits import RateLimitItemPerSecond
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from daftray.domain.errors import TooManyRequestsError
from daftray.domain.ports import Clock
from daftray.domain.throttle import Rate

BOUND = 10_000
"""Callers that are counted at a time, for each rate. The one whose window began first goes for a new one."""
_LONGEST_NAME = 300


class BoundedWindows(Storage):
    """Counters that take no more than so much room; the library's own have no bound, nor a clock of ours."""

    STORAGE_SCHEME = None

    def __init__(self, time: Callable[[], float], bound: int) -> None:
        super().__init__()
        self._time = time
        self._bound = bound
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """What may go wrong in here: nothing."""
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, and begin a window where there is none."""
        now = self._time()
        count, ends = self._windows.get(key, (0, 0.0))
        if ends <= now:
            self._windows.pop(key, None)
            self._make_room(now)
            count, ends = 0, now + expiry
        self._windows[key] = (count + amount, ends)
        return count + amount

    def get(self, key: str) -> int:
        """Return the count."""
        count, ends = self._windows.get(key, (0, 0.0))
        return count if ends > self._time() else 0

    def get_expiry(self, key: str) -> float:
        """Return when the window ends."""
        return self._windows.get(key, (0, self._time()))[1]

    def check(self) -> bool:
        """Whether it works."""
        return True

    def reset(self) -> int | None:
        """Forget all."""
        self._windows.clear()
        return None

    def clear(self, key: str) -> None:
        """Forget one."""
        self._windows.pop(key, None)

    def _make_room(self, now: float) -> None:
        """Windows of a rate are of one length, so those at the front end first."""
        while self._windows:
            first = next(iter(self._windows))
            if self._windows[first][1] > now and len(self._windows) < self._bound:
                return
            del self._windows[first]


class WindowThrottle:
    """The `Throttle` of the limits library."""

    def __init__(self, clock: Clock, *, bound: int = BOUND) -> None:
        self._clock = clock
        self._bound = bound
        self._limiters: dict[str, FixedWindowRateLimiter] = {}

    def check(self, rate: Rate, who: str) -> None:
        """Raise `TooManyRequestsError` where somebody may not try now; nothing is counted."""
        limiter, item, who = self._limiter(rate), _item(rate), who[:_LONGEST_NAME]
        if not limiter.test(item, who):
            raise self._refusal(rate, who)

    def hit(self, rate: Rate, who: str) -> None:
        """Count a try. Raises `TooManyRequestsError` where it is one too many."""
        limiter, item, who = self._limiter(rate), _item(rate), who[:_LONGEST_NAME]
        if not limiter.hit(item, who):
            raise self._refusal(rate, who)

    def _limiter(self, rate: Rate) -> FixedWindowRateLimiter:
        if rate.name not in self._limiters:
            storage = BoundedWindows(lambda: self._clock.now().timestamp(), self._bound)
            self._limiters[rate.name] = FixedWindowRateLimiter(storage)
        return self._limiters[rate.name]

    def _refusal(self, rate: Rate, who: str) -> TooManyRequestsError:
        ends = self._limiter(rate).get_window_stats(_item(rate), who).reset_time
        wait = max(1, math.ceil(ends - self._clock.now().timestamp()))
        return TooManyRequestsError(
            f"Too many tries to {rate.name}: try again in {wait} seconds.", retry_after_s=wait
        )


def _item(rate: Rate) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(rate.tries, rate.seconds)
