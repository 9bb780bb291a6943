"""Which process wrote a line of a driver's log: Ray puts its name before what workers print.

``(embed pid=4711, ip=10.0.0.7) text``, in colours or not; ``(raylet)`` and ``(autoscaler +1m2s)`` are Ray's
own. A line without such a prefix is the driver's. Programs can print the same; nothing depends on who did.
"""

from __future__ import annotations

import re
from collections.abc import Callable

DRIVER = "(driver)"
"""What asks for the driver's lines. No process is called so: its own brackets are not in its name."""

_PREFIX = re.compile(
    rb"(?:\x1b\[[0-9;]*m)*\((?:"
    rb"(?P<own>autoscaler|raylet|gcs_server)(?:[ ,][^()\n]{1,80})?"
    rb"|(?P<label>(?:(?P<name>[^\n\x1b]{1,200}?) )?pid=[0-9]{1,10}(?:, ip=[^()\n]{1,64})?)"
    rb")\)"
)
_BEGINNINGS = (b"(", b"\x1b")


def label_of(line: bytes) -> str | None:
    """Return the process that a line names, as ``embed pid=4711``; nothing where it is the driver's."""
    found = _PREFIX.match(line) if line.startswith(_BEGINNINGS) else None
    if found is None:
        return None
    return (found["own"] or found["label"]).decode(errors="replace")


def labels_in(data: bytes, most: int) -> list[str]:
    """Return the processes that lines name, each once, in the order of their first lines."""
    labels: dict[str, None] = {}
    if b"pid=" in data or b"(raylet" in data or b"(autoscaler" in data or b"(gcs_server" in data:
        seen: set[bytes] = set()
        for line in data.split(b"\n"):
            if not line.startswith(_BEGINNINGS) or (found := _PREFIX.match(line)) is None:
                continue
            if found[0] not in seen and len(labels) < most:
                seen.add(found[0])
                labels[(found["own"] or found["label"]).decode(errors="replace")] = None
    return list(labels)


def written_by(process: str) -> Callable[[bytes], bool]:
    """Return what tells whether a line is a process's.

    ``process`` is a label, a name that all processes of it share (``embed``), or `DRIVER`.
    """
    if process == DRIVER:
        return lambda line: not line.startswith(_BEGINNINGS) or _PREFIX.match(line) is None
    wanted = process.encode()

    def matches(line: bytes) -> bool:
        found = _PREFIX.match(line) if line.startswith(_BEGINNINGS) else None
        return found is not None and wanted in {found["own"], found["label"], found["name"]}

    return matches
