"""The audit log over HTTP."""

from __future__ import annotations

AUDIT = "audit"
"""The route option of a route that changes something: what the change is called, such as ``run.create``."""
