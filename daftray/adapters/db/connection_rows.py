"""The table of data sources and catalogs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from daftray.adapters.db.columns import ORDERED_TEXT, StructJson, code_of
from daftray.adapters.db.rows import Row
from daftray.domain.connection import ConnectionSort


class ConnectionRow(Row):
    """A data source or a catalog of a project."""

    __tablename__ = "connections"
    __table_args__ = (Index(None, "project", "sort", "name", unique=True),)

    id: Mapped[str] = mapped_column(ORDERED_TEXT, primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    sort: Mapped[ConnectionSort] = mapped_column(code_of(ConnectionSort))
    name: Mapped[str] = mapped_column(ORDERED_TEXT)
    info: Mapped[dict[str, object]] = mapped_column(StructJson(dict[str, object]))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
