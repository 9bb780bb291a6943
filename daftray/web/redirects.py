"""Where a browser is sent to: only ever a page of ours."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from litestar.response import Redirect

from daftray.web.headers import PAGE_HEADERS

HOME = "/"
_LONGEST = 2000
_PLAIN = re.compile(r"/[!-\[\]-~]*")
"""A slash and printable ASCII, but for the backslash, which browsers take for a slash."""


def see_other(target: str) -> Redirect:
    """Send a browser to another page, by GET (RFC 9110, section 15.4.4)."""
    return Redirect(target, status_code=303, headers=dict(PAGE_HEADERS))


def local_path(target: str | None) -> str:
    """Return a path of this server as it was asked to be returned to, or the first page for anything else."""
    if not target or len(target) > _LONGEST or not _PLAIN.fullmatch(target) or target.startswith("//"):
        return HOME
    try:
        parts = urlsplit(target)
    except ValueError:
        return HOME
    return HOME if parts.scheme or parts.netloc else target
