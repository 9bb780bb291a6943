"""What a secret of a data source or catalog holds: a text, or several as JSON.

No message here holds any part of a value.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

AWS_KEYS = {
    "key_id": ("access_key_id", "aws_access_key_id", "key_id", "accessKeyId"),
    "access_key": ("secret_access_key", "aws_secret_access_key", "access_key", "secretAccessKey"),
    "session_token": ("session_token", "aws_session_token", "sessionToken"),
    "region": ("region", "aws_region", "region_name"),
}
_SUPABASE = ("postgresql://", "postgres://", "postgresql+")


class ConnectionProblem(Exception):  # noqa: N818 (an ending of a sentence for the user, not a failure of ours)
    """A data source or catalog cannot be opened as it is given. The message says what to do."""


def as_object(secrets: Mapping[str, str], name: str, keys: str) -> dict[str, Any]:
    """Return a secret that must be a JSON object; ``keys`` says which keys it has."""
    found = as_either(secrets, name)
    if isinstance(found, str):
        raise ConnectionProblem(f"the secret {name} has to be a JSON object with {keys}")
    return found


def as_either(secrets: Mapping[str, str], name: str) -> str | dict[str, Any]:
    """Return a secret as the JSON object that it is, or else as its text."""
    try:
        value = secrets[name]
    except KeyError:
        raise ConnectionProblem(f"the secret {name} is not set: `daftray secrets set {name}`") from None
    text = value.strip()
    if text.startswith("{"):
        try:
            found: Any = json.loads(text)
        except ValueError:
            raise ConnectionProblem(f"the secret {name} begins like JSON and is none") from None
        return found
    return text


def as_text(secrets: Mapping[str, str], name: str, *keys: str) -> str:
    """Return a secret that is a text, by itself or under one of some keys."""
    found = as_either(secrets, name)
    if isinstance(found, str):
        return found
    for key in keys:
        if isinstance(found.get(key), str):
            return found[key]
    raise ConnectionProblem(f"the secret {name} has to be a text, or a JSON object with {' or '.join(keys)}")


def aws(secrets: Mapping[str, str], name: str) -> dict[str, str]:
    """Return key_id, access_key, and session_token and region where they are there."""
    keys = "access_key_id and secret_access_key (and session_token for temporary ones)"
    given = as_object(secrets, name, keys)
    found = {
        part: str(given[alias])
        for part, aliases in AWS_KEYS.items()
        for alias in reversed(aliases)
        if given.get(alias)
    }
    if "key_id" not in found or "access_key" not in found:
        raise ConnectionProblem(f"the secret {name} has to be a JSON object with {keys}")
    return found


def properties(part: Mapping[str, Any], field: str, secrets: Mapping[str, str]) -> dict[str, Any]:
    """Return a part's properties with those of its secret."""
    found = dict(part.get(field) or {})
    if part.get("secret_name"):
        found.update(as_object(secrets, part["secret_name"], "the further properties"))
    return found


def address(part: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    """Return a database's address: written out, or a secret."""
    if part.get("url"):
        return str(part["url"])
    return as_text(secrets, part["secret_name"], "url", "connection_string", "database_url", "uri")
