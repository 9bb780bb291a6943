"""Keeps credentials out of what Daft shows of a plan.

In ``explain`` Daft prints the key id of an S3 configuration, Azure's tokens, some ids of others, and the
whole address of a database with its password. Where such a value comes from a secret, it becomes stars there.
A log is masked by the control plane besides; this is for what a program keeps, returns or sends elsewhere.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from urllib.parse import unquote, urlsplit

from daftray.runner.shapes import json_array, json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

SHORTEST = 4
MOST_VALUES = 1000
_FILE_AT = 3
_PUBLIC = re.compile(
    r"(^|[._-])(region|region_name|endpoint|endpoint_url|type|uri|warehouse)$", re.IGNORECASE
)
_BREAK = r"(?:\n[|\s]*)?"
"""Where a plan is drawn as a tree, a long word may go on in the next line."""

_masking_now: list[Any] = []
_hidden: dict[str, re.Pattern[str]] = {}


def hide(part: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
    """Let no plan of this process show what the secrets that are named in a part hold."""
    for name, value in part.items():
        if name == "secret_name" and value in secrets:
            _add(secrets[value])
        else:
            hide(json_object(value) or {}, secrets)
    if _hidden:
        _install()


def masked(text: str) -> str:
    """Return a plan's text with stars for what is hidden."""
    for value, pattern in _hidden.items():
        if value[:SHORTEST] in text or value in text:
            text = pattern.sub("***", text)
    return text


def _add(secret: str) -> None:
    values = [secret, *_password(secret)]
    with contextlib.suppress(ValueError, RecursionError):
        values += _texts(json.loads(secret), "")
    for value in values:
        if len(value) >= SHORTEST and len(_hidden) < MOST_VALUES:
            _hidden.setdefault(value, re.compile(_BREAK.join(map(re.escape, value))))


def _password(secret: str) -> list[str]:
    """Return the password of an address, as it is written in it and as it is meant."""
    with contextlib.suppress(ValueError):
        found = urlsplit(secret).password
        return [found, unquote(found)] if found else []
    return []


def _texts(value: Any, name: str) -> list[str]:
    if isinstance(value, str):
        return [] if _PUBLIC.search(name) else [value]
    if (items := json_array(value)) is not None:
        return [text for one in items for text in _texts(one, name)]
    fields = json_object(value) or {}
    return [text for key, one in fields.items() for text in _texts(one, key)]


def _install() -> None:
    """Put a mask before what shows plans. A Daft that has other names for them is left as it is."""
    from daft.dataframe import DataFrame
    from daft.logical.builder import LogicalPlanBuilder

    for owner, name in ((LogicalPlanBuilder, "pretty_print"), (LogicalPlanBuilder, "repr_json")):
        _wrap(owner, name, _masking)
    _wrap(DataFrame, "explain", _explaining)


def _wrap(owner: Any, name: str, around: Callable[[Any], Any]) -> None:
    shown = getattr(owner, name, None)
    if shown is not None and shown not in _masking_now:
        masking = around(shown)
        _masking_now.append(masking)
        setattr(owner, name, masking)


def _masking(shown: Any) -> Any:
    def show(*args: Any, **kwargs: Any) -> Any:
        text = shown(*args, **kwargs)
        return masked(text) if isinstance(text, str) else text

    return show


def _explaining(shown: Any) -> Any:
    def explain(self: Any, *args: Any, **kwargs: Any) -> Any:
        # Its parameters are show_all, format, simple and file.
        file = kwargs.pop("file", args[3] if len(args) > _FILE_AT else None)
        text = io.StringIO()
        answer = shown(self, *args[:_FILE_AT], file=text, **kwargs)
        if text.getvalue():
            print(masked(text.getvalue()), end="", file=file)
        return masked(answer) if isinstance(answer, str) else answer

    return explain
