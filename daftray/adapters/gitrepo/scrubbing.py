"""What Git and remotes write, made fit to be shown: no credential in any form."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

DEFAULT_USER = "x-access-token"
"""What GitHub, GitLab, Gitea and Bitbucket take beside a token (any name would do for most)."""

_LONGEST = 300
_SHORTEST_SECRET = 4
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def scrub(text: str, credential: str | None) -> str:
    """Return what Git or a remote wrote, fit to be shown: without the credential in any form."""
    clean = _USERINFO.sub("", _CONTROL.sub("", text))
    for form in _forms(credential or ""):
        clean = clean.replace(form, "***")
    return clean.strip()


def _forms(credential: str) -> list[str]:
    secret = credential.strip()
    if len(secret) < _SHORTEST_SECRET:
        return []
    lines = [line.strip() for line in secret.splitlines() if not line.startswith("-----")]
    lines = [line for line in lines if len(line) > _SHORTEST_SECRET]
    basic = base64.b64encode(f"{DEFAULT_USER}:{secret}".encode()).decode()
    plain = base64.b64encode(secret.encode()).decode()
    forms = {secret, quote(secret, safe=""), basic, plain, *lines}
    return sorted(forms, key=len, reverse=True)


def last_line(text: str) -> str:
    """Return the line of Git's output that tells most: its last ``fatal:`` or ``error:``, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "ERROR:"))]
    line = (telling or lines or ["nothing"])[-1]
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"
