"""Names of branches, tags and commits, checked before any command sees them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from daftray.domain.errors import SourceRefusedError

_LONGEST = 255
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_HASH = re.compile(r"[0-9a-f]{4,64}")
_FULL_LENGTHS = frozenset({40, 64})  # SHA-1, SHA-256


def candidates(ref: str) -> Sequence[str]:
    """Return the full names that a ref may have on a remote, the first of which that exists is meant.

    The rules are those of git-check-ref-format(1). A branch goes before a tag of the same name.

    Raises:
        SourceRefusedError: it is no valid name of a ref.
    """
    parts = ref.split("/")
    if (
        not ref
        or len(ref) > _LONGEST
        or not ref.isprintable()
        or _FORBIDDEN.search(ref)
        or ref == "@"
        or ref.startswith(("-", "/"))
        or ref.endswith(("/", "."))
        or any(part.startswith(".") or part.endswith(".lock") for part in parts)
    ):
        raise SourceRefusedError(
            f"{ref[:100]!r} is no valid name of a branch or tag (see git check-ref-format)."
        )
    if ref == "HEAD" or ref.startswith("refs/"):
        return (ref,)
    return (f"refs/heads/{ref}", f"refs/tags/{ref}")


def commit_hash(text: str) -> str:
    """Return a commit's hash, full or abbreviated, in lower case.

    Raises:
        SourceRefusedError: it is none.
    """
    if not looks_like_hash(text):
        raise SourceRefusedError(
            f"{text[:100]!r} is no hash of a commit: give 4 to 40 hexadecimal digits, or name a branch or "
            "tag as ref."
        )
    return text.lower()


def looks_like_hash(text: str) -> bool:
    """Whether a text could be a commit's hash, full or abbreviated."""
    return _HASH.fullmatch(text.lower()) is not None


def is_full(commit: str) -> bool:
    """Whether a hash is whole."""
    return len(commit) in _FULL_LENGTHS
