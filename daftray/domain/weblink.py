"""Where a Git host shows a line of a file on its pages."""

from __future__ import annotations

import re
from urllib.parse import quote

_ADDRESS = re.compile(
    r"(?:(?:https|ssh)://)?(?:[^@/]*@)?(?P<host>[A-Za-z0-9.-]+\.[A-Za-z0-9-]+)(?::\d+(?=/))?[:/](?P<path>[^?#]+)"
)
_PAGES = {
    "github": "https://{host}/{path}/blob/{commit}/{file}#L{line}",
    "gitlab": "https://{host}/{path}/-/blob/{commit}/{file}#L{line}",
    "bitbucket": "https://{host}/{path}/src/{commit}/{file}#lines-{line}",
    "codeberg": "https://{host}/{path}/src/commit/{commit}/{file}#L{line}",
}
"""The forms of addresses, by the word that the host's name begins with."""

_COMMIT_PAGES = {
    "github": "https://{host}/{path}/commit/{commit}",
    "gitlab": "https://{host}/{path}/-/commit/{commit}",
    "bitbucket": "https://{host}/{path}/commits/{commit}",
    "codeberg": "https://{host}/{path}/commit/{commit}",
}


def web_link(remote: str, commit: str, file: str, line: int) -> str | None:
    """Return the address of a line on the remote's web pages; nothing for hosts whose pages are not known.

    A credential in the remote's address is left out.
    """
    match = _ADDRESS.fullmatch(remote)
    if match is None:
        return None
    host = match["host"].lower()
    page = _PAGES.get(host.partition(".")[0])
    if page is None:
        return None
    path = match["path"].strip("/").removesuffix(".git")
    return page.format(host=host, path=quote(path), commit=commit, file=quote(file), line=line)


def commit_link(remote: str, commit: str) -> str | None:
    """Return the address of a commit on the remote's web pages, as `web_link` does of a line."""
    match = _ADDRESS.fullmatch(remote)
    host = match["host"].lower() if match else ""
    page = _COMMIT_PAGES.get(host.partition(".")[0])
    if match is None or page is None:
        return None
    path = match["path"].strip("/").removesuffix(".git")
    return page.format(host=host, path=quote(path), commit=quote(commit))
