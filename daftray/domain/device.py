"""A program that waits for a person's word: the device authorization grant (RFC 8628).

waiting ──decided(yes)──> approved ──polled──> consumed
   │  └───decided(no)───> denied
   └── time ──> expired (as all of them are, in the end)
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

LIFETIME = timedelta(minutes=15)
INTERVAL_S = 5
SLOWER_BY_S = 5
"""What is added to the interval each time that somebody asks too soon (RFC 8628, section 3.5)."""
SLOWEST_S = 60


class PollOutcome(StrEnum):
    """What a poll is answered; all but the first are errors on the wire."""

    APPROVED = "approved"
    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    USED = "invalid_grant"


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A request for tokens.

    Of its two codes the SHA-256 is kept: ``digest`` of the program's own, long one, ``code_digest`` of the
    short one that a person types.

    ``approved`` is none until somebody decides; ``holder`` is then who did, and ``workspace`` what for.
    """

    id: str
    digest: str
    code_digest: str
    interval_s: int = INTERVAL_S
    created_at: datetime
    expires_at: datetime
    polled_at: datetime | None = None
    approved: bool | None = None
    holder: str | None = None
    workspace: str | None = None
    consumed_at: datetime | None = None

    def waits_at(self, now: datetime) -> bool:
        """Whether somebody may still decide."""
        return self.approved is None and now < self.expires_at


def polled(device: Device, now: datetime) -> tuple[Device, PollOutcome]:
    """Return the device as it is after its program asked at that time, and what the program is told.

    What was decided is told at once; only who waits can ask too soon.
    """
    if device.consumed_at is not None:
        return device, PollOutcome.USED
    if now >= device.expires_at:
        return device, PollOutcome.EXPIRED
    if device.approved is False:
        return device, PollOutcome.DENIED
    if device.approved:
        return replace(device, consumed_at=now, polled_at=now), PollOutcome.APPROVED
    early = device.polled_at is not None and now - device.polled_at < timedelta(seconds=device.interval_s)
    if early:
        slower = min(device.interval_s + SLOWER_BY_S, SLOWEST_S)
        return replace(device, polled_at=now, interval_s=slower), PollOutcome.SLOW_DOWN
    return replace(device, polled_at=now), PollOutcome.PENDING


def decided(device: Device, now: datetime, *, approve: bool, holder: str, workspace: str | None) -> Device:
    """Return the device after somebody's word; one that waits no more stays as it is."""
    if not device.waits_at(now):
        return device
    return replace(device, approved=approve, holder=holder, workspace=workspace)
