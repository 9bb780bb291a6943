"""Who listens on a port of this machine, asked before a secret is sent there.

The port of the embedded Ray's dashboard can be guessed, and Ray takes seconds to listen on it. Another user
of the machine who listens there first would be sent the token with which one runs code as this user.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
"""The kernel's tables of sockets (proc_pid_net(5)). Only Linux has them."""
_LISTENS = "0A"
_LOCAL, _STATE, _UID = 1, 3, 7


def is_only_ours(port: int, *, tables: tuple[Path, ...] = _TABLES) -> bool:
    """Tell whether a port is listened on, and by this user's processes alone.

    Where the system does not say (any but Linux), it is taken to be so.
    """
    readable = [table for table in tables if table.exists()]
    if not readable:
        return True
    owners = {owner for table in readable for owner in _owners(table, port)}
    return owners == {os.getuid()}


def _owners(table: Path, port: int) -> Iterator[int]:
    """Yield the users whose processes listen on a port, on whatever address."""
    for line in table.read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[_STATE] == _LISTENS and int(fields[_LOCAL].rpartition(":")[2], 16) == port:
            yield int(fields[_UID])
