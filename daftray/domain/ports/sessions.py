"""What sign-in needs of the outside world: what lets somebody stay signed in is kept by digest alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from daftray.domain.device import Device
from daftray.domain.session import BrowserSession, TokenFamily


class SessionStore(Protocol):
    """Sessions of browsers. Those of a person go with the person."""

    async def add(self, session: BrowserSession) -> None:
        """Keep a new session; those that are over by its start go.

        Raises:
            UserNotFoundError: the holder is a person's id, and there is no such person.
        """
        ...

    async def get(self, session_id: str) -> BrowserSession | None:
        """Return a session, if there is one."""
        ...

    async def seen(self, session_id: str, at: datetime) -> None:
        """Note when a session was last used; an older time never replaces a newer one."""
        ...

    async def delete(self, session_id: str) -> None:
        """End a session; one that is not there is no error."""
        ...

    async def delete_of(self, holder: str) -> None:
        """End all sessions of a person, or of a key."""
        ...


class TokenFamilyStore(Protocol):
    """Families of refresh tokens."""

    async def add(self, family: TokenFamily) -> None:
        """Keep a new family; those that are over by its start go."""
        ...

    async def get(self, family_id: str) -> TokenFamily | None:
        """Return a family, if there is one."""
        ...

    async def rotate(
        self, family_id: str, *, old: str, new: str, at: datetime, expires_at: datetime
    ) -> TokenFamily | None:
        """Put a new digest in the place of the current one, and return the family after it.

        Return nothing, and change nothing, where ``old`` is not the current one or the family is over at
        that time: of two at once only one can have its way.
        """
        ...

    async def end(self, family_id: str, at: datetime) -> None:
        """End a family; one that has ended keeps its time, and one that is not there is no error."""
        ...

    async def end_of(self, holder: str, at: datetime) -> None:
        """End all families of a person or a key."""
        ...


class DeviceStore(Protocol):
    """Programs that wait for a person's word."""

    async def add(self, device: Device, *, bound: int) -> None:
        """Keep a new one; those that are over by its start go.

        Raises:
            ConflictError: one of its codes is taken: make new ones.
            TooManyRequestsError: ``bound`` of them are there already.
        """
        ...

    async def by_code(self, code_digest: str) -> Device | None:
        """Return who waits under a short code, if anybody does."""
        ...

    async def change(self, digest: str, step: Callable[[Device], Device]) -> tuple[Device, Device] | None:
        """Take a step with nobody in between; return it before and after, or nothing where there is none.

        The step may change what the device's poll and decision tell, no more.
        """
        ...


class SignedClaims(Protocol):
    """Claims in a text that nobody else can make: a JSON Web Token (RFC 7519)."""

    def issue(self, claims: Mapping[str, Any]) -> str:  # any JSON
        """Return the claims, signed under the first key."""
        ...

    def read(self, text: str, *, now: datetime) -> Mapping[str, Any]:
        """Return a token's claims. They hold ``exp``, which is later than ``now``.

        Raises:
            UnauthenticatedError: no key of ours signed it, it is over, or it is no such token at all.
        """
        ...
