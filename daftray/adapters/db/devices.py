"""Programs that wait for a person's word."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import asdict
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from daftray.adapters.db.database import Database
from daftray.adapters.db.dialect import insert
from daftray.adapters.db.session_rows import DeviceRow
from daftray.domain.device import Device
from daftray.domain.errors import ConflictError, TooManyRequestsError


class SqlDeviceStore:
    """The `DeviceStore` of a database. What each call means is said there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, device: Device, *, bound: int) -> None:
        """Keep a new one; those that are over by its start go."""
        async with self._database.writing() as session:
            await session.execute(delete(DeviceRow).where(DeviceRow.expires_at <= device.created_at))
            if (await session.scalar(select(func.count()).select_from(DeviceRow)) or 0) >= bound:
                raise TooManyRequestsError("Too many programs wait for a person's word: try again later.")
            try:
                await session.execute(insert(session, DeviceRow).values(asdict(device)))
            except IntegrityError as error:
                raise ConflictError("One of the codes is taken.") from error

    async def by_code(self, code_digest: str) -> Device | None:
        """Return who waits under a short code, if anybody does."""
        async with self._database.reading() as session:
            row = await session.scalar(select(DeviceRow).where(DeviceRow.code_digest == code_digest))
            return row and msgspec.convert(row, Device, from_attributes=True)

    async def change(self, digest: str, step: Callable[[Device], Device]) -> tuple[Device, Device] | None:
        """Take a step with nobody in between; return it before and after, or nothing where there is none."""
        async with self._database.writing() as session:
            # On SQLite a writer is alone as it is; elsewhere the row is locked.
            row = await session.scalar(select(DeviceRow).where(DeviceRow.digest == digest).with_for_update())
            if row is None:
                return None
            before = msgspec.convert(row, Device, from_attributes=True)
            after = step(before)
            if after != before:
                await session.execute(
                    update(DeviceRow)
                    .where(DeviceRow.id == before.id)
                    .values(asdict(after))
                    .execution_options(synchronize_session=False)
                )
            return before, after
