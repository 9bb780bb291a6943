"""What Git writes when it fails, told as one of daftray's errors.

Git has one exit code for nearly everything, so its text has to be read; it is always English here
(GitPython sets ``LC_ALL=C``). What is not known stays a `SourceError` with Git's own last line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from daftray.adapters.gitrepo.scrubbing import last_line, scrub
from daftray.adapters.gitrepo.transport import Remote, shown
from daftray.domain.errors import (
    SourceDeniedError,
    SourceError,
    SourceNotFoundError,
    SourceRefusedError,
    SourceUnavailableError,
)


class _Known(NamedTuple):
    """One way in which Git fails: words of its text, the error, and what to do about it."""

    words: str
    kind: type[SourceError]
    advice: str

    def matches(self, text: str) -> bool:
        return any(re.search(word.strip(), text, re.IGNORECASE) for word in self.words.split("|"))


# The first that matches decides: what is certain stands before what is vague.
_KNOWN = (
    _Known(
        r"returned error: 30[1-8] | redirect",
        SourceRefusedError,
        "it redirects, and redirects are never followed: give its final address",
    ),
    _Known(
        "host key verification failed | host identification has changed",
        SourceDeniedError,
        "its host has another ssh key than this server has seen before: if that is known to be right, the "
        "operator removes the old key from known_hosts in the server's data folder",
    ),
    _Known(
        "certificate | SSL peer | server verification failed",
        SourceDeniedError,
        "its TLS certificate is not trusted: the operator sets GIT_SSL_CAINFO to the authority's file",
    ),
    _Known(
        "could not read username | could not read password | terminal prompts disabled",
        SourceDeniedError,
        "it is private, or does not exist: check the URL, store a token as a project secret and name that "
        "secret as the credential of the project's source",
    ),
    _Known(
        "permission denied | authentication failed | access denied | not authori[sz]ed | invalid username | "
        r"invalid credentials | returned error: 40[13] | http basic: access | load key",
        SourceDeniedError,
        "it refuses access: check that the project's credential is right, has not expired, and may read this "
        "repository",
    ),
    _Known("not allowed", SourceRefusedError, "Git may not use such a transport here: use https or ssh"),
    _Known(
        "could not resolve host | connection refused | connection reset | connection closed | timed out | "
        "failed to connect | couldn't connect | network is unreachable | no route to host | early eof | "
        r"unexpected disconnect | hung up unexpectedly | returned error: 429 | returned error: 5\d\d | "
        "operation too slow | empty reply | broken pipe",
        SourceUnavailableError,
        "it does not answer right now: check that this server can reach it",
    ),
    _Known(
        "not found | does not appear to be a git repository | returned error: 404 | returned error: 410 | "
        "does not exist | not a git repository | no such file | is this a git repository | not valid:",
        SourceNotFoundError,
        "there is no such repository: check the URL, and the credential if it is private",
    ),
    _Known(
        "mismatched algorithms | object format",
        SourceRefusedError,
        "it uses SHA-256 hashes, which daftray does not read: use a repository with SHA-1 hashes",
    ),
)


def remote_error(remote: Remote, errors: str, *, credential: str | None) -> SourceError:
    """Return the error for a command that failed on a remote, from what it wrote to stderr."""
    text = scrub(errors, credential)
    told = f"The Git remote {shown(remote.url)} cannot be used"
    without_names = text.replace(remote.url.rstrip("/"), "").replace(remote.path.strip("/"), "")
    for known in _KNOWN:
        if known.matches(without_names):
            return known.kind(f"{told}: {known.advice}. Git says: {last_line(text)}")
    return SourceError(f"{told}. Git says: {last_line(text)}")
