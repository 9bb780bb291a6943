"""The tables of browsers' sessions, families of refresh tokens, and devices that wait for a person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from daftray.adapters.db.rows import Row


class SessionRow(Row):
    """A browser in which somebody signed in: ``user_id`` is the holder where that is a person.

    It goes with the person. A key is never deleted, only revoked, and opens nothing then.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "holder"), Index(None, "user_id"), Index(None, "expires_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    digest: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class TokenFamilyRow(Row):
    """Refresh tokens that follow one another: digests, never a token."""

    __tablename__ = "token_families"
    __table_args__ = (Index(None, "holder"), Index(None, "expires_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    workspace: Mapped[str]
    digest: Mapped[str]
    current: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class DeviceRow(Row):
    """A program that waits for a person's word: digests of its two codes."""

    __tablename__ = "devices"
    __table_args__ = (
        Index(None, "digest", unique=True),
        Index(None, "code_digest", unique=True),
        Index(None, "expires_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    code_digest: Mapped[str]
    interval_s: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    polled_at: Mapped[datetime | None]
    approved: Mapped[bool | None]
    holder: Mapped[str | None]
    workspace: Mapped[str | None]
    consumed_at: Mapped[datetime | None]
