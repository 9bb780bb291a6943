"""Where a secret could be seen that should be nowhere."""

from __future__ import annotations

from pathlib import Path

import psutil


def everything_below(folder: Path) -> bytes:
    """Return the bytes of all files: of a server's data folder that is the database, blobs and its log."""
    return b"\0".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def command_lines() -> str:
    """Return what `ps` shows of all processes of this machine."""
    lines: list[str] = []
    for process in psutil.process_iter():
        try:
            lines.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return "\n".join(lines)
