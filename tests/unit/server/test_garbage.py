"""Collections of garbage and what lives as long as the server."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from daftray.server.garbage import spare_what_is_there


class Thing:
    """Something that keeps itself alive, as far as references are counted."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_is_there_is_walked_through_no_more() -> None:
    kept = Thing()
    spare_what_is_there()
    later = Thing()
    walked = {id(thing) for thing in gc.get_objects() if isinstance(thing, Thing)}
    assert id(later) in walked
    assert id(kept) not in walked


def test_garbage_of_before_is_not_kept_for_ever() -> None:
    gone = weakref.ref(Thing())
    spare_what_is_there()
    assert gone() is None


def test_garbage_of_later_is_collected_still() -> None:
    spare_what_is_there()
    gone = weakref.ref(Thing())
    gc.collect()
    assert gone() is None
