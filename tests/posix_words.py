"""What a shell makes of a command that is pasted into it."""

from __future__ import annotations

import subprocess


def words_of(command: str) -> list[str]:
    """Return the words of a command, as ``sh`` reads it; nothing of it is run."""
    script = f"set -- {command}\nprintf '%s\\0' \"$@\""
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, timeout=60)
    return done.stdout.decode().split("\0")[:-1]
