"""The tables of retention: which blobs are to go, which are needed, and whose they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from daftray.adapters.db.columns import ORDERED_TEXT
from daftray.adapters.db.rows import Row
from daftray.domain.retention import kept_digests
from daftray.domain.run import Run


class RemovalRow(Row):
    """Blobs that are to go: a key, or all keys below one that ends in a slash."""

    __tablename__ = "removals"

    key: Mapped[str] = mapped_column(ORDERED_TEXT, primary_key=True)
    noted_at: Mapped[datetime]


class RunSourceRow(Row):
    """Something that a run brought along (a bundle, a patch), which lies in the blob store by its digest."""

    __tablename__ = "run_sources"
    __table_args__ = (Index(None, "project", "digest"),)

    run_id: Mapped[str] = mapped_column(
        ORDERED_TEXT, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]


def source_rows(run: Run) -> list[dict[str, Any]]:  # Any: column values
    """Return the rows of what a new run brings along."""
    digests = sorted(kept_digests(run.source))
    return [{"run_id": run.id, "digest": digest, "project": run.project} for digest in digests]


class IdentityRow(Row):
    """This database's own name, in its one row."""

    __tablename__ = "identity"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
