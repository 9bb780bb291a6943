# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""Waiting."""

from __future__ import annotations

import time


def pause(seconds: float) -> None:
    """Let that many seconds pass."""
    time.sleep(seconds)
