"""The runner's own words, in the run's log."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Write a line to standard error. A program may have closed it: then there is nobody to tell."""
    try:
        print(f"daftray: {text}", file=sys.stderr, flush=True)
    except (AttributeError, ValueError, OSError):
        return
