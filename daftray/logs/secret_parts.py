"""What of a secret is a secret by itself: the credentials in a JSON object, the password in an address.

A secret of a data source is often several credentials in one text. A program prints one of them, and not
the text that they came in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import cast
from urllib.parse import unquote, urlsplit

SHORTEST_PART = 8
"""Characters. A shorter one is masked only where its name says what it is."""
MOST_PARTS = 500
DEEPEST = 16
_PUBLIC = re.compile(
    r"(^|[._-])(region|region[_-]name|endpoint|endpoint[_-]url|type|host|port|database|dbname|auth[_-]uri|token[_-]uri"
    r"|auth[_-]provider[_-]x509[_-]cert[_-]url|universe[_-]domain|warehouse|schema|scope)$",
    re.IGNORECASE,
)
"""Names of what goes with credentials and is none: masked, it would blot out the log."""
_TELLING = re.compile(r"secret|password|passwd|token|key|credential", re.IGNORECASE)


def parts_of(secret: str) -> Iterator[str]:
    """Yield the credentials within a secret, apart from itself; at most so many."""
    for count, part in enumerate(_parts(secret), start=1):
        if count > MOST_PARTS:
            return
        yield part


def _parts(secret: str) -> Iterator[str]:
    if secret.lstrip()[:1] in {"{", "["}:
        try:
            value: object = json.loads(secret)
        except (ValueError, RecursionError):
            return
        yield from _in_json(value, "", DEEPEST)
    else:
        yield from _in_address(secret)


def _in_json(value: object, name: str, depth: int) -> Iterator[str]:
    if depth == 0:
        return
    if isinstance(value, dict):
        for key, one in cast("dict[str, object]", value).items():
            yield from _in_json(one, key, depth - 1)
    elif isinstance(value, list):
        for one in cast("list[object]", value):
            yield from _in_json(one, name, depth - 1)
    elif isinstance(value, str):
        yield from _in_address(value)
        if not _PUBLIC.search(name) and (len(value) >= SHORTEST_PART or _TELLING.search(name)):
            yield value


def _in_address(text: str) -> Iterator[str]:
    """Yield the password of a URL, as it is written and as it is meant."""
    if "://" not in text or "@" not in text:
        return
    try:
        password = urlsplit(text.strip()).password
    except ValueError:
        return
    if password:
        yield password
        yield unquote(password)
