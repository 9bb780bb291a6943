"""A server goes by its database's time, which another server may have noted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from factories import NOW
from fakes import FakeClock

from daftray.adapters.db import Database
from daftray.adapters.vault.key_ring import KeyRing
from daftray.server.clock import DatabaseClock
from daftray.server.no_cluster import NoCluster
from daftray.server.settings import ServerSettings
from daftray.server.wiring import build


async def test_it_is_asked_of_the_database(database_url: str) -> None:
    own, theirs = FakeClock(NOW), FakeClock(NOW + timedelta(hours=1))
    database = Database(database_url, clock=theirs)
    await database.open()
    try:
        clock = DatabaseClock(database.time, own)
        await clock.compare()
    finally:
        await database.close()
    assert clock.now() == theirs.now()


async def test_whatever_decides_by_the_time_goes_by_it(tmp_path: Path) -> None:
    services = build(
        ServerSettings(data_dir=tmp_path),
        ring=KeyRing.of(b"k" * 32),
        rayjobs=NoCluster(),
        cluster="none",
        report_url="http://127.0.0.1:1",
        stopping=asyncio.Event(),
    )
    clock = services.clock
    assert isinstance(clock, DatabaseClock)
    assert services.reconciler._context.clock is clock
    assert services.runs._clock is clock
