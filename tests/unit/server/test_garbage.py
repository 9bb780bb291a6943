"""Collections of garbage and what lives as long as the server."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import cast

import pytest
from litestar import Litestar

from daftray.server import serve
from daftray.server.garbage import spare_what_is_there
from daftray.server.services import Services


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


async def test_a_server_that_listens_has_spared_its_application(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Litestar([])
    monkeypatch.setattr(serve, "create_app", lambda _: app)
    stopping = asyncio.Event()
    stopping.set()
    with serve._listening("127.0.0.1", 0) as listener:
        await serve._listen(cast("Services", None), listener, stopping)
    assert app not in [thing for thing in gc.get_objects() if isinstance(thing, Litestar)]
