"""What repository on which host a Git remote means, however it is spelled."""

from __future__ import annotations

import re

_URL = re.compile(r"(?:https?|ssh)://(?:[^@/]*@)?(?P<host>[^/@:]+|\[[^\]]*\])(?P<port>:\d+)?/+(?P<path>.+)")
_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[^@/:]+):(?P<path>.+)")


def repository_of(remote: str) -> tuple[str, str] | None:
    """Return host (with its port, where one is named) and path, both in lower case, or nothing for a path.

    Hosts of repositories take no notice of case: two that differ by it alone are one on all that we know.
    """
    found = _URL.fullmatch(remote)
    if found is None and "://" not in remote:
        found = _SCP.fullmatch(remote)
    if found is None:
        return None
    host = found["host"] + (found.groupdict().get("port") or "")
    path = found["path"].strip("/").removesuffix(".git").rstrip("/")
    return (host.lower(), path.lower()) if path else None
