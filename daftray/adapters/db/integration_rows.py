"""The table of integrations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from daftray.adapters.db.columns import ORDERED_TEXT
from daftray.adapters.db.rows import Row


class IntegrationRow(Row):
    """An installation of the GitHub App, as a workspace has recorded it."""

    __tablename__ = "integrations"
    __table_args__ = (
        Index(None, "workspace", "installation_id", unique=True),
        Index(None, "installation_id"),
    )

    id: Mapped[str] = mapped_column(ORDERED_TEXT, primary_key=True)
    workspace: Mapped[str]
    installation_id: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str]
    created_at: Mapped[datetime]
