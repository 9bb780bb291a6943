"""What can be run of a commit, as its text tells: files, and the callables of one with their parameters."""

from __future__ import annotations

from typing import Literal

import msgspec

ParameterKind = Literal[
    "positional_only", "positional_or_keyword", "var_positional", "keyword_only", "var_keyword"
]
TypeKind = Literal[
    "any",
    "bool",
    "bytes",
    "catalog",
    "data_source",
    "dataclass",
    "date",
    "datetime",
    "decimal",
    "dict",
    "enum",
    "float",
    "int",
    "list",
    "literal",
    "model",
    "named_tuple",
    "none",
    "path",
    "set",
    "str",
    "struct",
    "time",
    "timedelta",
    "tuple",
    "typed_dict",
    "union",
    "unknown",
    "uuid",
]


class TypeShape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a value has to be, as far as its file alone tells; ``unknown`` is a class from elsewhere.

    ``optional`` says that it may be None. ``items`` are the types of members: one of a list or set, key and
    value of a dict, each of a tuple, the alternatives of a union. ``choices`` are names of an enum's members,
    or a literal's values. ``fields`` are those of a record; ``name`` is what a class is called.
    """

    kind: TypeKind
    optional: bool = False
    name: str | None = None
    items: tuple[TypeShape, ...] = ()
    choices: tuple[str | int | bool | None, ...] = ()
    fields: tuple[Parameter, ...] = ()


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter, or a field of a record. ``annotation`` and ``default`` are text of the file."""

    name: str
    kind: ParameterKind
    annotation: str | None
    default: str | None
    required: bool
    type: TypeShape


class Callable(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a function entrypoint can name. ``symbol`` may be ``Class.method``.

    ``summary`` is the first paragraph of ``doc``. ``parameters`` is none where they are not to be seen in the
    file, as those of a class that inherits its constructor.
    """

    symbol: str
    kind: Literal["function", "async_function", "class"]
    line: int
    parameters: tuple[Parameter, ...] | None
    returns: str | None = None
    summary: str | None = None
    doc: str | None = None


class SourceListing(msgspec.Struct, frozen=True, kw_only=True):
    """The Python files of a commit, by path. ``truncated`` says that it has more."""

    commit: str
    files: list[str]
    truncated: bool


class EntrypointListing(msgspec.Struct, frozen=True, kw_only=True):
    """The callables of a file of a commit, in the order of the file. ``truncated`` says that it has more."""

    commit: str
    path: str
    callables: list[Callable]
    truncated: bool
