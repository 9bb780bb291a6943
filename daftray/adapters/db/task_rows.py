"""The table of tasks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from daftray.adapters.db.columns import ORDERED_TEXT, StructJson
from daftray.adapters.db.rows import Row
from daftray.domain.task import TaskSpec
from daftray.domain.trigger import Trigger


class TaskRow(Row):
    """A task of a project. Its own secrets are under its id."""

    __tablename__ = "tasks"
    __table_args__ = (Index(None, "project", "name", unique=True),)

    id: Mapped[str] = mapped_column(ORDERED_TEXT, primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(ORDERED_TEXT)
    spec: Mapped[TaskSpec] = mapped_column(StructJson(TaskSpec))
    triggers: Mapped[tuple[Trigger, ...]] = mapped_column(StructJson(tuple[Trigger, ...]))
    secret_names: Mapped[tuple[str, ...]] = mapped_column(StructJson(tuple[str, ...]))
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
