"""Notices between servers, over PostgreSQL's LISTEN and NOTIFY. SQLite's server is the only one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any

from daftray.adapters.db.address import Address
from daftray.adapters.db.engine import make_patient_engine
from daftray.domain.ports import Notice, NoticeKind, Notices

log = logging.getLogger(__name__)

CHANNEL = "daftray_notices"
MOST_PENDING = 10_000
"""Notices that wait to be told; further ones are dropped."""
_BATCH = 500
_GATHER_S = 0.01
"""So long notices gather before they are told, so that a burst is one statement."""
_ALIVE_S = 15.0
"""After so long a silence the connection is tried: a network that fell silent says nothing."""
_ANSWER_S = 10.0
_LAST_S = 1.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 10.0
_TELL = "SELECT pg_notify($1, told) FROM unnest($2::text[]) AS told"


def notices_of(url: str) -> Notices:
    """Return what a database's servers tell each other with."""
    address = Address.parse(url)
    return NoNotices() if address.dsn is None else PostgresNotices(address)


class NoNotices:
    """The `Notices` of a server that is alone."""

    def publish(self, notice: Notice) -> None:
        """Tell nobody."""

    async def serve(self, hear: Callable[[Notice], None]) -> None:
        """Hear nothing."""
        del hear
        await asyncio.Event().wait()


class PostgresNotices:
    """The `Notices` of servers that share a PostgreSQL, over one connection that nothing else uses."""

    def __init__(self, address: Address) -> None:
        self._engine = make_patient_engine(address)
        self._pending: dict[Notice, None] = {}  # a set that keeps the order
        self._awake = asyncio.Event()

    def publish(self, notice: Notice) -> None:
        """Tell the others soon."""
        if len(self._pending) < MOST_PENDING:
            self._pending[notice] = None
        self._awake.set()

    async def serve(self, hear: Callable[[Notice], None]) -> None:
        """Tell and hear until cancelled; connect anew whenever the connection breaks."""
        pause_s = _FIRST_PAUSE_S
        try:
            while True:
                try:
                    async with self._listening(hear) as connection:
                        pause_s = _FIRST_PAUSE_S
                        hear(Notice(kind=NoticeKind.WAKE))
                        await self._keep_telling(connection)
                except Exception as error:  # noqa: BLE001 (whatever it is: servers do without notices meanwhile)
                    # Its text may hold parts of the address.
                    why = type(error).__name__
                    log.warning(
                        "no notices to and from other servers: trying again",
                        extra={"action": "notices", "error": why},
                    )
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        finally:
            await self._engine.dispose()

    @asynccontextmanager
    async def _listening(self, hear: Callable[[Notice], None]) -> AsyncGenerator[Any, None]:
        """Give asyncpg's own connection, which SQLAlchemy has set up. It is `Any`: asyncpg has no types."""
        async with self._engine.connect() as wrapped:
            connection: Any = (await wrapped.get_raw_connection()).driver_connection
            own = connection.get_server_pid()

            def broken(_connection: object) -> None:
                self._awake.set()

            def heard(_connection: object, sender: int, _channel: str, payload: str) -> None:
                notice = _read(payload)
                if sender != own and notice is not None:
                    hear(notice)

            try:
                connection.add_termination_listener(broken)
                await connection.add_listener(CHANNEL, heard)
                yield connection
            except asyncio.CancelledError:
                # The server ends. What it gives up just now, others should take at once.
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(_LAST_S):
                        await self._tell(connection)
                raise
            finally:
                connection.terminate()  # a polite end would wait for a network that may be gone

    async def _keep_telling(self, connection: Any) -> None:
        while True:
            try:
                async with asyncio.timeout(_ALIVE_S):
                    await self._awake.wait()
            except TimeoutError:
                await connection.execute("SELECT 1", timeout=_ANSWER_S)
                continue
            await asyncio.sleep(_GATHER_S)
            self._awake.clear()
            if connection.is_closed():
                raise ConnectionError
            await self._tell(connection)

    async def _tell(self, connection: Any) -> None:
        while batch := list(islice(self._pending, _BATCH)):
            for notice in batch:
                del self._pending[notice]
            try:
                told = [f"{notice.kind}:{notice.run_id or ''}" for notice in batch]
                await connection.execute(_TELL, CHANNEL, told, timeout=_ANSWER_S)
            except BaseException:
                for notice in batch:
                    self.publish(notice)
                raise


def _read(payload: str) -> Notice | None:
    """Return a notice, or nothing where a server of another version tells what we do not know."""
    kind, _, run_id = payload.partition(":")
    try:
        return Notice(kind=NoticeKind(kind), run_id=run_id or None)
    except ValueError:
        return None
