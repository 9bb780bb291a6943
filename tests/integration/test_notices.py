"""Notices between servers that share a PostgreSQL: heard soon, told once, and again after a gap."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Self

import pytest
from postgres_server import PostgresServer

from daftray.adapters.db import notices as notices_module
from daftray.adapters.db.notices import MOST_PENDING, NoNotices, PostgresNotices, notices_of
from daftray.domain.ports import Notice, NoticeKind, Notices

ANY = Notice(kind=NoticeKind.WAKE)
CHANGED = Notice(kind=NoticeKind.CHANGED, run_id="run_1")
LATER = Notice(kind=NoticeKind.CHANGED, run_id="run_2")


class Ear:
    """Hears notices, in order."""

    def __init__(self, notices: Notices) -> None:
        self.heard: asyncio.Queue[Notice] = asyncio.Queue()
        self.task = asyncio.create_task(notices.serve(self.heard.put_nowait))

    async def next(self) -> Notice:
        async with asyncio.timeout(30):
            return await self.heard.get()


@pytest.fixture
async def listen(migrated_postgres: str) -> AsyncGenerator[Callable[[], tuple[Notices, Ear]], None]:
    ears: list[Ear] = []

    def make() -> tuple[Notices, Ear]:
        notices = notices_of(migrated_postgres)
        ears.append(Ear(notices))
        return notices, ears[-1]

    yield make
    for ear in ears:
        ear.task.cancel()
    await asyncio.gather(*(ear.task for ear in ears), return_exceptions=True)


Listen = Callable[[], tuple[Notices, Ear]]


async def test_the_others_hear_a_notice_and_its_sender_does_not(listen: Listen) -> None:
    (here, own), (there, other), (_, third) = listen(), listen(), listen()
    for ear in (own, other, third):
        assert await ear.next() == ANY, "it listens now, and may have missed something before"
    here.publish(CHANGED)
    here.publish(ANY)
    for ear in (other, third):
        assert [await ear.next(), await ear.next()] == [CHANGED, ANY]
    there.publish(LATER)
    assert await own.next() == LATER


async def test_a_burst_is_told_once(listen: Listen) -> None:
    (_, ear), (here, _) = listen(), listen()
    await ear.next()
    for _ in range(1000):
        here.publish(CHANGED)
    here.publish(ANY)
    assert [await ear.next(), await ear.next()] == [CHANGED, ANY]


async def test_what_cannot_be_told_is_bounded_and_the_first_is_told_later(
    listen: Listen, migrated_postgres: str
) -> None:
    here = notices_of(migrated_postgres)
    assert isinstance(here, PostgresNotices)
    for number in range(MOST_PENDING + 10):
        here.publish(Notice(kind=NoticeKind.CHANGED, run_id=f"run_{number}"))
    assert len(here._pending) == MOST_PENDING
    _, ear = listen()
    await ear.next()
    sender = Ear(here)
    heard = [await ear.next() for _ in range(MOST_PENDING)]
    assert heard[0].run_id == "run_0"
    assert heard[-1].run_id == f"run_{MOST_PENDING - 1}"
    sender.task.cancel()
    await asyncio.gather(sender.task, return_exceptions=True)


async def test_a_connection_that_was_ended_comes_back(
    listen: Listen, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices_module, "_ALIVE_S", 3600)
    (_, ear), (here, own) = listen(), listen()
    assert [await ear.next(), await own.next()] == [ANY, ANY]
    await end_listeners(postgres)
    here.publish(CHANGED)
    # Both hear that they may have missed something. The notice is told once its sender is back, and is missed
    # by who is not back by then: it was told of the gap.
    assert await own.next() == ANY
    assert await ear.next() == ANY
    here.publish(LATER)
    heard = await ear.next()
    assert (await ear.next() if heard == CHANGED else heard) == LATER


async def end_listeners(postgres: PostgresServer) -> None:
    async with postgres.asked() as connection:
        ended = await connection.fetch(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query ~ 'LISTEN|pg_notify'"
            " AND pid <> pg_backend_pid() AND datname = 'migrated'"
        )
    assert len(ended) == 2


async def test_a_connection_that_fell_silent_is_replaced_and_nothing_published_is_lost(
    listen: Listen, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices_module, "_ALIVE_S", 0.05)
    monkeypatch.setattr(notices_module, "_ANSWER_S", 0.2)
    here, own = listen()
    await own.next()
    async with Tunnel(tmp_path / ".s.PGSQL.5432", postgres.folder / ".s.PGSQL.5432") as tunnel:
        there = notices_of(f"postgresql://postgres@/migrated?host={tmp_path}")
        far = Ear(there)
        assert await far.next() == ANY
        tunnel.silence()
        there.publish(CHANGED)
        assert await own.next() == CHANGED, "told over the next connection"
        assert await far.next() == ANY, "it may have missed something"
        here.publish(LATER)
        assert await far.next() == LATER
        far.task.cancel()
        await asyncio.gather(far.task, return_exceptions=True)


class Tunnel:
    """Stands between a client and PostgreSQL's socket, and can fall silent without a word to either."""

    def __init__(self, path: Path, target: Path) -> None:
        self._path, self._target = path, target
        self._flows: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._connect, self._path)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.silence()
        for writer in self._writers:
            writer.close()
        for writer in self._writers:
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def silence(self) -> None:
        """Let nothing through any more on the connections that there are."""
        for flow in self._flows:
            flow.cancel()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._target)
        self._writers += [writer, far_writer]
        pairs = ((reader, far_writer), (far_reader, writer))
        self._flows += [asyncio.create_task(_flow(*pair)) for pair in pairs]


async def _flow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)


async def test_a_server_that_ends_still_tells_what_it_gave_up(listen: Listen) -> None:
    (_, ear), (here, own) = listen(), listen()
    await ear.next()
    await own.next()
    here.publish(CHANGED)
    own.task.cancel()
    assert await ear.next() == CHANGED


async def test_servers_of_other_versions_are_heard_as_far_as_they_are_understood(
    listen: Listen, postgres: PostgresServer
) -> None:
    _, ear = listen()
    await ear.next()
    async with postgres.asked("migrated") as connection:
        for payload in ("", "gone:run_1", "wake", "changed:run_1"):
            await connection.execute("SELECT pg_notify('daftray_notices', $1)", payload)
    assert [await ear.next(), await ear.next()] == [ANY, CHANGED]


async def test_a_server_on_sqlite_is_alone(tmp_path: Path) -> None:
    notices = notices_of(f"sqlite:///{tmp_path}/daftray.db")
    assert isinstance(notices, NoNotices)
    notices.publish(CHANGED)
    ear = Ear(notices)
    await asyncio.sleep(0)
    assert not ear.task.done()
    assert ear.heard.empty()
    ear.task.cancel()
