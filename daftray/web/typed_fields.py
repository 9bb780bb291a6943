"""Fields of a form for a type of the domain, and back: what the type says is what the form asks for.

A field is called by its path in the request (``info.parquet.io.s3.region``), so that an issue of the request
is an issue of the field. Not every value goes through fields unharmed, such as an empty object or a line end
within a line: `fits` tells, and such a value is edited as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

import msgspec
from msgspec import inspect

from daftray.domain.errors import InputIssue
from daftray.domain.spec import VariableName

Look = Literal["text", "long", "character", "number", "either", "choice", "yes", "lines", "numbers", "pairs"]
_LONG = frozenset({"query"})
_SECRET = inspect.type_info(VariableName)
_WORDS = {"true": True, "false": False}
_TAB = "\\t"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field: how it looks, and what of the type is worth telling. ``secret``: it names a secret."""

    path: str
    name: str
    look: Look
    required: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()
    default: str = ""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of one struct; ``title`` is its path below the kind, nothing for the kind itself."""

    title: str
    about: str
    fields: tuple[Field, ...]


def groups_of(kind: type[msgspec.Struct], path: str) -> list[Group]:
    """Return the fields of a type, those of structs inside of it as groups of their own."""
    info = inspect.type_info(kind)
    return _groups(info, path, "") if isinstance(info, inspect.StructType) else []


def about(kind: type) -> str:
    """Return what a type says of itself, in one sentence or two."""
    return (kind.__doc__ or "").split("\n\n", 1)[0].replace("`", "").replace("\n", " ").strip()


def texts_of(value: object, path: str) -> dict[str, str]:
    """Return a value as the texts of its fields, by their paths."""
    found: dict[str, str] = {}
    for name, one in cast("dict[str, Any]", value).items() if isinstance(value, dict) else ():
        here = f"{path}.{name}"
        if isinstance(one, dict) and all(
            isinstance(inner, str) for inner in cast("dict[str, Any]", one).values()
        ):
            found[here] = "\n".join(f"{key}={text}" for key, text in cast("dict[str, str]", one).items())
        if isinstance(one, dict):
            found |= texts_of(cast("dict[str, Any]", one), here)
        elif isinstance(one, list):
            found[here] = "\n".join(_text(item) for item in cast("list[Any]", one))
        else:
            found[here] = _text(one)
    return found


def value_of(
    groups: Iterable[Group], path: str, texts: Mapping[str, str]
) -> tuple[dict[str, Any], list[InputIssue]]:
    """Return what the fields say as JSON, and what of it is none. A field without a text is not given."""
    value: dict[str, Any] = {}  # JSON
    issues: list[InputIssue] = []
    for field in (field for group in groups for field in group.fields):
        text = texts.get(field.path, "").replace("\r\n", "\n")  # as browsers send the ends of lines
        if field.look != "character":
            text = text.strip()
        if not text:
            continue
        given = _given(field, text)
        if given is None:
            issues.append(InputIssue(path=field.path, message="give name=value, one on each line"))
        else:
            _put(value, field.path.removeprefix(f"{path}.").split("."), given)
    return value, issues


def fits(value: object, groups: Iterable[Group], path: str) -> bool:
    """Whether a value comes back from its fields as it went in."""
    return value_of(groups, path, texts_of(value, path))[0] == value


def _groups(info: inspect.StructType, path: str, title: str) -> list[Group]:
    own: list[Field] = []
    inside: list[Group] = []
    for field in info.fields:
        kinds = _kinds(field.type)
        struct = kinds[0] if len(kinds) == 1 and isinstance(kinds[0], inspect.StructType) else None
        if struct is None:
            own.append(_field(field, kinds, f"{path}.{field.encode_name}"))
        else:
            below = f"{title}.{field.encode_name}" if title else field.encode_name
            inside += _groups(struct, f"{path}.{field.encode_name}", below)
    first = [Group(title=title, about=about(info.cls), fields=tuple(own))] if own or not title else []
    return first + inside


def _kinds(type_: inspect.Type) -> list[inspect.Type]:
    """Return what a value may be, without nothing."""
    several = type_.types if isinstance(type_, inspect.UnionType) else (type_,)
    return [_bare(one) for one in several if not isinstance(one, inspect.NoneType)]


def _bare(type_: inspect.Type) -> inspect.Type:
    return type_.type if isinstance(type_, inspect.Metadata) else type_


def _field(field: inspect.Field, kinds: list[inspect.Type], path: str) -> Field:
    one = kinds[0]
    default: object = field.default
    return Field(
        path=path,
        name=field.encode_name,
        look=_look(field.encode_name, kinds),
        required=field.required,
        secret=one == _SECRET,
        choices=tuple(str(value) for value in one.values) if isinstance(one, inspect.LiteralType) else (),
        default=_text(default) if isinstance(default, str | int | float) else "",
    )


def _look(name: str, kinds: list[inspect.Type]) -> Look:  # noqa: PLR0911 (a table, which types cannot be a key of)
    one = kinds[0]
    if len(kinds) > 1:
        return "either"
    if isinstance(one, inspect.ListType):
        return "numbers" if isinstance(one.item_type, inspect.IntType) else "lines"
    if isinstance(one, inspect.DictType):
        return "pairs"
    if isinstance(one, inspect.BoolType):
        return "yes"
    if isinstance(one, inspect.LiteralType):
        return "choice"
    if isinstance(one, inspect.IntType | inspect.FloatType):
        return "number"
    if isinstance(one, inspect.StrType) and one.max_length == 1:
        return "character"
    return "long" if name in _LONG else "text"


def _given(field: Field, text: str) -> object | None:
    """Return the value that a text means; one that means none stays text, and the request's check tells."""
    match field.look:
        case "lines" | "numbers" | "pairs":
            return _of_lines(field.look, [line.strip() for line in text.splitlines() if line.strip()])
        case "yes":
            return _WORDS.get(text, text)
        case "number" | "either":
            return _number(text)
        case "character":
            return "\t" if text == _TAB else text
        case "text" | "long" | "choice":
            return text


def _of_lines(look: Look, lines: list[str]) -> object | None:
    if look == "lines":
        return lines
    if look == "numbers":
        return [_number(line) for line in lines]
    pairs = [line.partition("=") for line in lines]
    return (
        {name.strip(): value.strip() for name, _, value in pairs} if all(pair[1] for pair in pairs) else None
    )


def _number(text: str) -> float | str:
    if not re.fullmatch(r"-?[0-9][0-9.eE+-]*", text):
        return text
    try:
        return msgspec.json.decode(text, type=int | float)
    except msgspec.DecodeError:
        return text


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _TAB if value == "\t" else str(value)


def _put(value: dict[str, Any], keys: list[str], given: object) -> None:
    for key in keys[:-1]:
        value = value.setdefault(key, {})
    value[keys[-1]] = given
