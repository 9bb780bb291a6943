"""Browsers' sessions, families of refresh tokens and waiting devices in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from daftray.domain.device import Device
from daftray.domain.errors import ConflictError, TooManyRequestsError, UserNotFoundError
from daftray.domain.session import BrowserSession, TokenFamily


class InMemorySessionStore:
    """``users`` are the ids of those who are there; without it everybody is."""

    def __init__(self, users: set[str] | None = None) -> None:
        self._sessions: dict[str, BrowserSession] = {}
        self._users = users

    async def add(self, session: BrowserSession) -> None:
        for one in [one for one in self._sessions.values() if one.expires_at <= session.created_at]:
            del self._sessions[one.id]
        if (
            self._users is not None
            and session.holder.startswith("usr_")
            and session.holder not in self._users
        ):
            raise UserNotFoundError
        self._sessions[session.id] = session

    async def get(self, session_id: str) -> BrowserSession | None:
        return self._sessions.get(session_id)

    async def seen(self, session_id: str, at: datetime) -> None:
        session = self._sessions.get(session_id)
        if session and session.seen_at < at:
            self._sessions[session_id] = replace(session, seen_at=at)

    async def delete(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)

    async def delete_of(self, holder: str) -> None:
        for one in [one for one in self._sessions.values() if one.holder == holder]:
            del self._sessions[one.id]


class InMemoryTokenFamilyStore:
    def __init__(self) -> None:
        self._families: dict[str, TokenFamily] = {}

    async def add(self, family: TokenFamily) -> None:
        start = family.created_at
        for one in [one for one in self._families.values() if min(one.expires_at, one.ends_at) <= start]:
            del self._families[one.id]
        self._families[family.id] = family

    async def get(self, family_id: str) -> TokenFamily | None:
        return self._families.get(family_id)

    async def rotate(
        self, family_id: str, *, old: str, new: str, at: datetime, expires_at: datetime
    ) -> TokenFamily | None:
        family = self._families.get(family_id)
        if family is None or family.current != old or not family.lives_at(at):
            return None
        self._families[family_id] = replace(family, current=new, expires_at=expires_at)
        return self._families[family_id]

    async def end(self, family_id: str, at: datetime) -> None:
        family = self._families.get(family_id)
        if family and family.ended_at is None:
            self._families[family_id] = replace(family, ended_at=at)

    async def end_of(self, holder: str, at: datetime) -> None:
        for family in list(self._families.values()):
            if family.holder == holder:
                await self.end(family.id, at)


class InMemoryDeviceStore:
    def __init__(self) -> None:
        self._devices: dict[str, Device] = {}

    async def add(self, device: Device, *, bound: int) -> None:
        for one in [one for one in self._devices.values() if one.expires_at <= device.created_at]:
            del self._devices[one.digest]
        if len(self._devices) >= bound:
            raise TooManyRequestsError
        if any(
            one.digest == device.digest or one.code_digest == device.code_digest
            for one in self._devices.values()
        ):
            raise ConflictError
        self._devices[device.digest] = device

    async def by_code(self, code_digest: str) -> Device | None:
        return next((one for one in self._devices.values() if one.code_digest == code_digest), None)

    async def change(self, digest: str, step: Callable[[Device], Device]) -> tuple[Device, Device] | None:
        before = self._devices.get(digest)
        if before is None:
            return None
        after = self._devices[digest] = step(before)
        return before, after
