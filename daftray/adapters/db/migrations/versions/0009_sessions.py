"""Sessions of browsers, families of refresh tokens, and devices that wait for a person."""

from __future__ import annotations

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
