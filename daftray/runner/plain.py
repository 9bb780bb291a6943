"""Converts values by annotations with nothing but Python itself: its own types, and records of fields.

Beside what pydantic does, it knows what a command line needs: members of enums by their names, lists with
commas between their members, Python's own notation, and structs of msgspec.
"""

from __future__ import annotations

import collections
import collections.abc
import enum
import inspect
import types
import typing

from daftray.runner import notation, records, scalars
from daftray.runner.misfits import ConversionError, joined

_WRAPPED = ("Annotated", "Required", "NotRequired", "ReadOnly", "Final", "ClassVar")
_NULLS = frozenset({"null", "none", ""})
_SEQUENCES: dict[object, typing.Any] = {  # Any: each makes its own kind
    list: list,
    set: set,
    frozenset: frozenset,
    collections.deque: collections.deque,
    collections.abc.Set: frozenset,
    collections.abc.MutableSet: set,
}
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping, collections.OrderedDict)
_ABSTRACT = frozenset(
    {
        collections.abc.Sequence,
        collections.abc.MutableSequence,
        collections.abc.Collection,
        collections.abc.Iterable,
    }
)


def convert(value: object, annotation: object) -> object:  # noqa: PLR0911 (a kind of annotation each)
    """Return a value as its annotation asks for it.

    Raises:
        ConversionError: it does not fit. The message holds no part of the value.
    """
    annotation = unwrapped(annotation)
    if annotation is typing.Any or annotation is object or annotation is inspect.Parameter.empty:
        return value
    if annotation is None or annotation is type(None):
        return _none(value)
    origin = typing.get_origin(annotation)
    if origin in {typing.Union, types.UnionType}:
        return _union(value, typing.get_args(annotation))
    if origin is typing.Literal:
        return _literal(value, typing.get_args(annotation))
    kind: typing.Any = origin or annotation  # Any: a class, or a type of the checker's alone
    if kind in _SEQUENCES or kind in _ABSTRACT:
        return _sequence(value, kind, typing.get_args(annotation))
    if kind is tuple:
        return _tuple(value, typing.get_args(annotation))
    if kind in _MAPPINGS or kind is collections.defaultdict:
        return _mapping(value, kind, typing.get_args(annotation))
    if not isinstance(kind, type):
        return value  # a type of the checker's alone, such as `Callable`
    return _of_class(value, kind)


def unwrapped(annotation: object) -> object:
    """Return what an annotation means: without notes, aliases and names for it; a variable's bound."""
    for _ in range(20):
        if type(annotation).__name__ == "TypeAliasType":
            annotation = getattr(annotation, "__value__", None)
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif isinstance(annotation, typing.TypeVar):
            annotation = _of_variable(annotation)
        elif getattr(typing.get_origin(annotation), "_name", None) in _WRAPPED or hasattr(
            annotation, "__metadata__"
        ):
            annotation = typing.get_args(annotation)[0]
        else:
            return annotation
    return typing.Any


def _of_variable(variable: typing.TypeVar) -> object:
    default = getattr(variable, "__default__", None)  # since Python 3.13
    if default is not None and type(default).__name__ != "NoDefaultType":
        return default
    if variable.__bound__ is not None:
        return variable.__bound__
    return typing.Union[variable.__constraints__] if variable.__constraints__ else typing.Any  # noqa: UP007


def _of_class(value: object, kind: typing.Any) -> object:
    if issubclass(kind, enum.Enum):
        return _member(value, kind)
    known, converted = scalars.convert(value, kind)
    if known:
        return converted
    if records.is_record(kind):
        read = notation.read(value, commas=records.is_named_tuple(kind))
        return records.convert(read, kind, convert)
    if isinstance(value, kind):
        return value
    raise ConversionError([f": input should be an instance of {kind.__qualname__}"])


def _none(value: object) -> None:
    if value is None or (isinstance(value, str) and value.strip().lower() in _NULLS):
        return
    raise ConversionError([": give null"])


def _union(value: object, parts: tuple[object, ...]) -> object:
    plain = [unwrapped(part) for part in parts]
    if (isinstance(value, str) and str in plain) or (value is None and type(None) in plain):
        return value
    exact = [part for part in plain if isinstance(part, type) and type(value) is part]
    failed: list[str] = []
    # None last: an empty text is a list, rather, where there is one.
    for part in (*exact, *sorted(parts, key=lambda one: one is type(None))):
        try:
            return convert(value, part)
        except ConversionError as error:
            failed = failed or error.problems
    raise ConversionError(failed or [": input does not fit"])


def _literal(value: object, choices: tuple[object, ...]) -> object:
    for choice in choices:
        if value == choice and type(value) is type(choice):
            return choice
    for choice in choices:
        text = choice.name if isinstance(choice, enum.Enum) else str(choice)
        if isinstance(value, str) and value.strip() == text:
            return choice
    shown = " or ".join(repr(choice) for choice in choices)
    raise ConversionError([f": input should be {shown}"])


def _member(value: object, kind: type[enum.Enum]) -> object:
    for member in kind:
        if value is member or (value == member.value and type(value) is type(member.value)):
            return member
    if isinstance(value, str):
        by_name = kind.__members__.get(value.strip())
        by_value = [member for member in kind if str(member.value) == value.strip()]
        if by_name is not None or by_value:
            return by_name if by_name is not None else by_value[0]
    shown = " or ".join(repr(member.value) for member in kind)
    raise ConversionError([f": input should be {shown}, or a member's name"])


def _sequence(value: object, kind: object, parts: tuple[object, ...]) -> object:
    members = _members(value)
    item = parts[0] if parts else typing.Any
    found = joined((f"[{at}]", lambda one=one: convert(one, item)) for at, one in enumerate(members))
    try:
        return _SEQUENCES.get(kind, list)(found)
    except TypeError:
        raise ConversionError([": members of a set have to be hashable"]) from None


def _tuple(value: object, parts: tuple[object, ...]) -> object:
    members = _members(value)
    if not parts or parts[-1] is Ellipsis:
        parts = (parts[0] if parts else typing.Any,) * len(members)
    if parts == ((),):  # tuple[()] before Python 3.11
        parts = ()
    if len(parts) != len(members):
        raise ConversionError([f": give {len(parts)} members, not {len(members)}"])
    pairs = enumerate(zip(members, parts, strict=True))
    return tuple(
        joined((f"[{at}]", lambda one=one, part=part: convert(one, part)) for at, (one, part) in pairs)
    )


def _members(value: object) -> list[typing.Any]:  # Any: of every type
    read = notation.read(value, commas=True)
    if isinstance(read, list | tuple | set | frozenset | collections.deque):
        return list(typing.cast("typing.Iterable[typing.Any]", read))
    raise ConversionError([": input should be a valid list"])


def _mapping(value: object, kind: object, parts: tuple[object, ...]) -> object:
    read = notation.read(value)
    if not isinstance(read, collections.abc.Mapping):
        raise ConversionError([": input should be a valid dictionary"])
    of_key, of_value = parts if len(parts) == 2 else (typing.Any, typing.Any)  # noqa: PLR2004 (key, value)
    given = typing.cast("typing.Mapping[object, object]", read)
    keys = joined((f"[key {at}]", lambda key=key: convert(key, of_key)) for at, key in enumerate(given))
    values = joined((f".{key}", lambda one=one: convert(one, of_value)) for key, one in given.items())
    try:
        found = dict(zip(keys, values, strict=True))
    except TypeError:
        raise ConversionError([": keys have to be hashable"]) from None
    if kind is collections.defaultdict:
        return collections.defaultdict(None, found)
    return collections.OrderedDict(found) if kind is collections.OrderedDict else found
