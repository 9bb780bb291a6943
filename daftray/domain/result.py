"""What a run returned."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a table: its name and its type as the producing library writes it."""

    name: str
    type: str


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """A run's result, or the reason why there is none to show.

    * ``json``: ``value`` is the value.
    * ``table``: ``columns``, ``rows`` and ``preview`` (the first rows); the whole is Parquet, as a blob.
    * ``artifact``: bytes of ``media_type`` in the blob store.
    * ``omitted``: the run returned something that was not kept; ``note`` says what and why.
    """

    kind: Literal["json", "table", "artifact", "omitted"]
    attempt: int = 1
    media_type: str = "application/json"
    value: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"null"))
    """The JSON as the runner sent it."""
    columns: list[Column] | None = None
    rows: int | None = None
    preview: list[dict[str, object]] | None = None
    size: int | None = None
    """Bytes of the stored data, where there are any."""
    data: bool = False
    """Whether the blob store holds the result's bytes."""
    note: str | None = None
    removed_at: datetime | None = None
    """When retention removed the value, the preview and the stored data."""

    @property
    def kept_size(self) -> int:
        """Bytes that the result takes: its own, and those of the stored data."""
        return len(msgspec.json.encode(self)) + (self.size or 0 if self.data else 0)

    def emptied(self, at: datetime) -> RunResult:
        """Return what is left of the result once it is removed: that there was one, and of what kind."""
        nothing = msgspec.Raw(b"null")
        return replace(self, value=nothing, preview=None, data=False, note=None, removed_at=at)
