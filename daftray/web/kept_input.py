"""What of a refused form is shown again: everything but credentials, which a page must not repeat."""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec

from daftray.domain.forms import credentials_in
from daftray.domain.source_tables import credential_properties

_USER = re.compile(r"(?<=://)[^/@\s]+@")


def without_credentials(text: str, *, pairs: bool = False) -> str:
    """Return a text without the lines that hold a credential; ``pairs`` are lines of ``name=value``."""
    kept = [line for line in text.splitlines() if not _holds_one(line, pairs=pairs)]
    return text if len(kept) == len(text.splitlines()) else "\n".join(kept)


def json_without_credentials(text: str) -> str:
    """Return JSON with its credentials emptied; what is no JSON, without the lines that hold one."""
    try:
        value: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return without_credentials(text)
    emptied = _emptied(value)
    return text if emptied == value else msgspec.json.format(msgspec.json.encode(emptied), indent=2).decode()


def remote_without_user(remote: str) -> str:
    """Return a Git remote without the user and password of a URL, where that is not ssh's."""
    return remote if remote.startswith("ssh://") else _USER.sub("", remote)


def _holds_one(line: str, *, pairs: bool) -> bool:
    name, _, value = line.partition("=")
    named = pairs and credential_properties({name.strip(): value}, "")
    return bool(named or credentials_in(line, ""))


def _emptied(value: Any) -> Any:  # any JSON
    if isinstance(value, dict):
        return {
            name: "" if isinstance(one, str) and credential_properties({name: one}, "") else _emptied(one)
            for name, one in cast("dict[str, Any]", value).items()
        }
    if isinstance(value, list):
        return [_emptied(one) for one in cast("list[Any]", value)]
    return "" if isinstance(value, str) and credentials_in(value, "") else value
