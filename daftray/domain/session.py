"""What lets somebody stay signed in: sessions of browsers and families of refresh tokens."""

from __future__ import annotations

from datetime import datetime

import msgspec


class BrowserSession(msgspec.Struct, frozen=True, kw_only=True):
    """A browser in which somebody signed in: the SHA-256 of its cookie's secret part.

    ``holder`` is the id of a person, or of the API key that was pasted there. ``seen_at`` is exact
    to a minute or so.
    """

    id: str
    holder: str
    digest: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class TokenFamily(msgspec.Struct, frozen=True, kw_only=True):
    """Refresh tokens that follow one another, of one sign-in of a person or of an API key (``holder``).

    Every token of the family holds the family's own secret, of which ``digest`` is the SHA-256, and one that
    is new each time, of which ``current`` is. So a token that was used is told from one that never was any.
    """

    id: str
    holder: str
    workspace: str
    digest: str
    current: str
    created_at: datetime
    expires_at: datetime
    """When the token that is current ends, unless it is used before."""
    ends_at: datetime
    """When the family ends, however often its tokens are used."""
    ended_at: datetime | None = None

    def lives_at(self, now: datetime) -> bool:
        """Whether the family is good at that time."""
        return self.ended_at is None and now < min(self.expires_at, self.ends_at)


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What a program signs in with. The workspace is the only one that they open."""

    workspace_id: str
    access_token: str
    refresh_token: str

    def __repr__(self) -> str:
        """Leave the tokens out: a repr ends up in logs."""
        return f"Tokens(workspace_id={self.workspace_id!r})"


class AccessClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What an access token says: who (``sub``), in which workspace (``wid``), of which family, until when.

    Times are seconds since 1970, as RFC 7519 has them. ``jti`` tells two tokens of one second apart.
    """

    jti: str
    sub: str
    wid: str
    fam: str
    iat: int
    exp: int
