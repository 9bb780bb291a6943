"""What the client is answered about sign-ins, and about who it is."""

from __future__ import annotations

import msgspec


class DeviceCodes(msgspec.Struct, frozen=True, kw_only=True):
    """What a sign-in begins with (RFC 8628, section 3.2); times in seconds.

    A person opens ``verification_uri`` and enters ``user_code``; ``verification_uri_complete`` holds both.
    """

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None = None
    expires_in: float
    interval: float = 5.0

    def __repr__(self) -> str:
        """Leave the codes out: a repr ends up in logs."""
        return f"DeviceCodes(verification_uri={self.verification_uri!r})"


class DeviceRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why there are no tokens yet, or never will be (RFC 6749, section 5.2)."""

    error: str = ""
    error_description: str = ""


class GrantInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A role in a project, or in the whole workspace; both by id."""

    workspace: str
    project: str | None
    role: str


class WhoAmI(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls: a person, or an API key."""

    id: str
    name: str
    kind: str
    operator: bool
    grants: list[GrantInfo]
