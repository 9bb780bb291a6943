"""Sign-in of a program by a person who has a browser elsewhere (RFC 8628)."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import msgspec

from daftray.domain.device import INTERVAL_S, LIFETIME, Device, PollOutcome, decided, polled
from daftray.domain.errors import ConflictError, DeviceNotFoundError, InvalidInputError
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock, WorkspaceStore
from daftray.domain.ports.sessions import DeviceStore
from daftray.domain.principal import Principal
from daftray.domain.session import Tokens
from daftray.domain.workspace import Workspace
from daftray.identity.digests import digest_of
from daftray.identity.refresh import TokenFamilies

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Letters that are not taken for one another, and make no words (RFC 8628, section 6.1)."""
CODE_LETTERS = 8
BOUND = 10_000
"""Programs that may wait at a time."""
_TRIES = 5
_UNKNOWN = "There is no such code, or it has expired or was used: start again where it was shown."


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The two codes of a program that asks, and the times in seconds."""

    device_code: str
    user_code: str
    expires_in: int
    interval: int


class Devices:
    """The use cases of the device flow. ``choose`` picks a letter of an alphabet; tests pass their own."""

    def __init__(
        self,
        *,
        store: DeviceStore,
        families: TokenFamilies,
        workspaces: WorkspaceStore,
        ids: Ids,
        clock: Clock,
        choose: Callable[[str], str] = secrets.choice,
    ) -> None:
        self._store = store
        self._families = families
        self._workspaces = workspaces
        self._ids = ids
        self._clock = clock
        self._choose = choose

    async def authorize(self) -> Asked:
        """Return the codes for a program that wants to sign in.

        Raises:
            TooManyRequestsError: too many wait already.
        """
        for attempt in range(1, _TRIES + 1):
            now = self._clock.now()
            device_code, letters = (
                self._ids.token(),
                "".join(self._choose(ALPHABET) for _ in range(CODE_LETTERS)),
            )
            device = Device(
                id=self._ids.new("dev", now),
                digest=digest_of(device_code),
                code_digest=digest_of(letters),
                created_at=now,
                expires_at=now + LIFETIME,
            )
            try:
                await self._store.add(device, bound=BOUND)
            except ConflictError:  # somebody waits under these very letters
                if attempt == _TRIES:
                    raise
                continue
            half = CODE_LETTERS // 2
            return Asked(
                device_code=device_code,
                user_code=f"{letters[:half]}-{letters[half:]}",
                expires_in=int(LIFETIME.total_seconds()),
                interval=INTERVAL_S,
            )
        raise AssertionError  # the loop returns or raises

    async def poll(self, device_code: str) -> Tokens | PollOutcome:
        """Return the tokens, once for each code, or why there are none (yet).

        Raises:
            UnauthenticatedError: who approved may not call any more.
        """
        now = self._clock.now()
        changed = await self._store.change(digest_of(device_code), lambda device: polled(device, now)[0])
        if changed is None:
            return PollOutcome.USED
        device, told = polled(changed[0], now)
        if told is not PollOutcome.APPROVED or device.holder is None or device.workspace is None:
            return told
        return await self._families.begin(device.holder, device.workspace)

    async def waiting(self, user_code: str) -> Device:
        """Return who waits under a code, however it is typed. Raises `DeviceNotFoundError`."""
        letters = "".join(letter for letter in user_code.upper() if letter in ALPHABET)
        device = await self._store.by_code(digest_of(letters)) if len(letters) == CODE_LETTERS else None
        if device is None or not device.waits_at(self._clock.now()):
            raise DeviceNotFoundError(_UNKNOWN)
        return device

    async def decide(
        self, user_code: str, caller: Principal, *, approve: bool, workspace: str | None
    ) -> Workspace | None:
        """Let a program sign in as the caller in that workspace, which the caller was let into, or refuse it.

        Without a workspace the caller's first is meant. Return which it is, where it was approved.

        Raises:
            DeviceNotFoundError: nobody waits under that code, or somebody else was quicker.
            InvalidInputError: the caller is in no workspace.
        """
        device = await self.waiting(user_code)
        place = await self._place(caller, workspace) if approve else None

        def step(before: Device) -> Device:
            return decided(
                before,
                self._clock.now(),
                approve=approve,
                holder=caller.id,
                workspace=place.id if place else None,
            )

        changed = await self._store.change(device.digest, step)
        if changed is None or changed[0] == changed[1]:
            raise DeviceNotFoundError(_UNKNOWN)
        return place

    async def workspaces_of(self, caller: Principal) -> list[Workspace]:
        """Return the workspaces that a caller has something in, by name."""
        return [one for one in await self._workspaces.list() if caller.sees(one.id)]

    async def _place(self, caller: Principal, workspace: str | None) -> Workspace:
        if workspace is not None:
            return await self._workspaces.get(workspace)
        theirs = await self.workspaces_of(caller)
        granted = [one for one in theirs if any(grant.workspace == one.id for grant in caller.grants)]
        if not theirs:
            raise InvalidInputError("You are in no workspace yet: ask an admin of one to let you in.")
        return (granted or theirs)[0]
