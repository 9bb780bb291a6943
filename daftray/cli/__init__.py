"""The command line. It talks to a server through the SDK alone; ``serve`` and ``demo`` start one."""

from __future__ import annotations

import sys
from io import TextIOWrapper


def main() -> None:
    """Run the command that the process's arguments name, and exit."""
    from daftray.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        # A run's log may hold what the terminal's encoding lacks; that must not end the following of it.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="daftray")
