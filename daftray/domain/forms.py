"""Reads a part of a request field by field, so that every mistake in it is told at once, each with its path.

msgspec by itself stops at the first; who fills in a form with a dozen fields deserves all of them.
"""

from __future__ import annotations

import difflib
import re
import typing
from typing import Any, TypeVar, cast

import msgspec

from daftray.domain.errors import InputIssue, InvalidInputError

T = TypeVar("T", bound=msgspec.Struct)

_MISFIT = re.compile(r"(.*) - at `(?:key in `)?\$\.?(.*)`", re.DOTALL)
_USER_IN_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s@]*:[^/\s@]+@")
_SIGNED_URL = re.compile(
    r"[?&](X-Amz-Signature|X-Goog-Signature|sig|Signature|token|password)=", re.IGNORECASE
)
DEEPEST = 8


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a request that may have more to say against itself than its types do."""

    def issues(self, path: str) -> list[InputIssue]:
        """Return what is wrong with it, apart from its parts, which are asked on their own."""
        del path
        return []


class Tagged(Part, frozen=True, kw_only=True):
    """An externally tagged union: exactly one of its fields is set, and its name is the kind."""

    @property
    def kind(self) -> str:
        """The name of the field that is set."""
        return next((name for name in self.__struct_fields__ if getattr(self, name) is not None), "")

    def issues(self, path: str) -> list[InputIssue]:
        """Refuse none, and more than one."""
        given = [name for name in self.__struct_fields__ if getattr(self, name) is not None]
        if len(given) == 1:
            return []
        what = f"not {' and '.join(given)}" if given else "not none"
        return [
            InputIssue(path=path, message=f"give exactly one of {', '.join(self.__struct_fields__)}; {what}")
        ]


def read(raw: object, kind: type[T], path: str, *, refusal: str) -> T:
    """Return JSON that was decoded as a type. Raises `InvalidInputError` with every issue."""
    issues = issues_of(raw, kind, path)
    if not issues:
        made = msgspec.convert(raw, kind)
        issues = _further(made, path) + credentials_in(raw, path)
        if not issues:
            return made
    raise InvalidInputError(refusal, issues=tuple(issues))


def issues_of(raw: object, kind: type[msgspec.Struct], path: str) -> list[InputIssue]:
    """Return every field that is missing, unknown, or not of its type."""
    if not isinstance(raw, dict):
        return [InputIssue(path=path, message="give an object")]
    given = cast("dict[str, object]", raw)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    issues = [
        InputIssue(path=_at(path, name), message=f"there is no such field{_close_to(name, list(fields))}")
        for name in given
        if name not in fields
    ]
    for name, field in fields.items():
        if name not in given:
            if field.required:
                issues.append(InputIssue(path=_at(path, name), message="is missing"))
            continue
        inner = _struct_in(field.type)
        if inner is not None and isinstance(given[name], dict):
            issues += issues_of(given[name], inner, _at(path, name))
        else:
            issues += _misfit(given[name], field.type, _at(path, name))
    return issues


def credentials_in(raw: object, path: str, depth: int = 0) -> list[InputIssue]:
    """Return every text that is a URL with a password or a signature in it: these belong into a secret."""
    if isinstance(raw, str):
        if _USER_IN_URL.search(raw) or ("://" in raw and _SIGNED_URL.search(raw)):
            message = "holds a credential: set it as a secret of the project, and give that secret's name"
            return [InputIssue(path=path, message=message)]
        return []
    if depth > DEEPEST:
        return [InputIssue(path=path, message="is nested too deeply")]
    if isinstance(raw, dict):
        pairs = cast("dict[str, object]", raw).items()
        return [one for name, value in pairs for one in credentials_in(value, _at(path, name), depth + 1)]
    if isinstance(raw, list):
        items = enumerate(cast("list[object]", raw))
        return [one for n, item in items for one in credentials_in(item, f"{path}[{n}]", depth + 1)]
    return []


def _further(value: Any, path: str) -> list[InputIssue]:  # fields are of any type
    if not isinstance(value, msgspec.Struct):
        return []
    issues = value.issues(path) if isinstance(value, Part) else []
    for name in value.__struct_fields__:
        issues += _further(getattr(value, name), _at(path, name))
    return issues


def _misfit(value: object, type_: object, path: str) -> list[InputIssue]:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        found = _MISFIT.fullmatch(str(error))
        inside = found[2] if found else ""
        where = path + inside if inside.startswith("[") else _at(path, inside)
        return [InputIssue(path=where, message=found[1] if found else str(error))]
    return []


def _struct_in(type_: Any) -> type[msgspec.Struct] | None:  # a type of any form
    for one in typing.get_args(type_) or (type_,):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            return one
    return None


def _at(path: str, name: str) -> str:
    return ".".join(part for part in (path, name) if part)


def _close_to(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
