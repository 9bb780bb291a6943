"""The table of prices."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from daftray.adapters.db.columns import StructJson
from daftray.adapters.db.rows import Row
from daftray.domain.price import Price


class PriceTableRow(Row):
    """A version of a project's prices, which never changes."""

    __tablename__ = "price_tables"

    project: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    prices: Mapped[tuple[Price, ...]] = mapped_column(StructJson(tuple[Price, ...]))
    note: Mapped[str | None] = mapped_column(StructJson(str))
    created_by: Mapped[str]
    created_at: Mapped[datetime]
