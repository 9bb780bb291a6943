"""From an annotation to the shape of what fits it, as far as one file tells."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from daftray.domain.signature import TypeKind, TypeShape
from daftray.entrypoints.names import Names
from daftray.entrypoints.records import Records
from daftray.entrypoints.text import SourceText, expression

_DEEPEST = 8
_MOST_ITEMS = 100
_MOST_SHAPES = 20_000
"""Of one file: records of records of records would fill the memory otherwise."""
_PLAIN: dict[str, TypeKind] = {
    "str": "str",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "bytes": "bytes",
    "bytearray": "bytes",
    "None": "none",
    "object": "any",
    "typing.Any": "any",
    "typing.Text": "str",
    "datetime.date": "date",
    "datetime.datetime": "datetime",
    "datetime.time": "time",
    "datetime.timedelta": "timedelta",
    "decimal.Decimal": "decimal",
    "uuid.UUID": "uuid",
    "pathlib.Path": "path",
    "pathlib.PurePath": "path",
    "os.PathLike": "path",
    **dict.fromkeys(
        ("daft.DataFrame", "daft.dataframe.DataFrame", "daft.dataframe.dataframe.DataFrame"), "data_source"
    ),
    **dict.fromkeys(("daft.Catalog", "daft.catalog.Catalog"), "catalog"),
}
_COLLECTIONS: dict[str, TypeKind] = {
    **dict.fromkeys(
        ("list", "List", "Sequence", "MutableSequence", "Iterable", "Collection", "deque"), "list"
    ),
    **dict.fromkeys(("set", "frozenset", "Set", "FrozenSet", "AbstractSet", "MutableSet"), "set"),
    **dict.fromkeys(("tuple", "Tuple"), "tuple"),
    **dict.fromkeys(("dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"), "dict"),
}
_FROM = ("", "typing.", "typing_extensions.", "collections.", "collections.abc.")
_SEEN_THROUGH = frozenset({"Annotated", "Required", "NotRequired", "ReadOnly", "Final", "ClassVar"})
UNKNOWN = TypeShape(kind="unknown")
ANY = TypeShape(kind="any")


class Shapes:
    """Reads annotations of one file."""

    def __init__(self, names: Names, text: SourceText) -> None:
        self._names = names
        self._left = _MOST_SHAPES
        self._records = Records(names, text, self.of)

    def of(self, node: ast.expr | None, depth: int = 0) -> TypeShape:
        """Return the shape of an annotation; where there is none, that of anything."""
        if node is None:
            return ANY
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            return UNKNOWN
        if isinstance(node, ast.Constant):
            return self._constant(node, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._union(_alternatives(node), depth)
        if isinstance(node, ast.Subscript):
            return self._subscript(node, depth)
        return self._named(node, depth)

    def _constant(self, node: ast.Constant, depth: int) -> TypeShape:
        if node.value is None:
            return TypeShape(kind="none")
        inner = expression(node.value) if isinstance(node.value, str) else None
        return self.of(inner, depth + 1) if inner is not None else UNKNOWN

    def _named(self, node: ast.expr, depth: int) -> TypeShape:
        name = self._names.full(node)
        if name is None:
            return self._called(node, depth) if isinstance(node, ast.Call) else UNKNOWN
        if name in self._names.classes:
            return self._records.of(self._names.classes[name], depth)
        if kind := _PLAIN.get(name):
            return TypeShape(kind=kind)
        if kind := _COLLECTIONS.get(_generic(name)):
            return TypeShape(kind=kind)
        if (value := self._names.values.get(name)) is not None:
            return self.of(value, depth + 1)
        return TypeShape(kind="unknown", name=name)

    def _called(self, node: ast.Call, depth: int) -> TypeShape:
        """Read what ``NewType`` and ``TypeVar`` make."""
        name = _generic(self._names.full(node.func) or "")
        if name == "NewType" and len(node.args) > 1:
            return self.of(node.args[1], depth + 1)
        if name == "TypeVar":
            given = {word.arg: word.value for word in node.keywords}
            inner = given.get("bound") or given.get("default")
            return self.of(inner, depth + 1) if inner is not None else ANY
        return UNKNOWN

    def _subscript(self, node: ast.Subscript, depth: int) -> TypeShape:
        name = _generic(self._names.full(node.value) or "")
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name in _SEEN_THROUGH:
            return self.of(parts[0], depth + 1)
        if name == "Optional":
            return self._union([parts[0], ast.Constant(None)], depth)
        if name == "Union":
            return self._union(parts, depth)
        if name == "Literal":
            return _literal(parts)
        if kind := _COLLECTIONS.get(name):
            items = [self.of(part, depth + 1) for part in parts[:_MOST_ITEMS] if not _is_ellipsis(part)]
            return TypeShape(
                kind="list" if kind == "tuple" and _is_ellipsis(parts[-1]) else kind, items=tuple(items)
            )
        return self._named(node.value, depth)

    def _union(self, parts: Sequence[ast.expr], depth: int) -> TypeShape:
        shapes = [self.of(part, depth + 1) for part in parts[:_MOST_ITEMS]]
        others = [shape for shape in shapes if shape.kind != "none"]
        optional = len(others) < len(shapes) or any(shape.optional for shape in others)
        if not others:
            return TypeShape(kind="none")
        if len(others) > 1:
            return TypeShape(kind="union", optional=optional, items=tuple(others))
        (one,) = others
        return TypeShape(
            kind=one.kind,
            optional=optional,
            name=one.name,
            items=one.items,
            choices=one.choices,
            fields=one.fields,
        )


def _generic(name: str) -> str:
    """Return the bare name of what typing and collections have; others as they are."""
    for place in sorted(_FROM, key=len, reverse=True):
        if place and name.startswith(place):
            return name.removeprefix(place)
    return name


def _alternatives(node: ast.expr) -> list[ast.expr]:
    """Return the parts of ``a | b | c``, from left to right."""
    found: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and len(found) < _MOST_ITEMS:
        found.append(node.right)
        node = node.left
    return [node, *reversed(found)]


def _literal(parts: Sequence[ast.expr]) -> TypeShape:
    values = [part.value for part in parts[:_MOST_ITEMS] if isinstance(part, ast.Constant)]
    choices = [value for value in values if isinstance(value, str | int)]
    return TypeShape(kind="literal", choices=tuple(choices), optional=None in values)


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis
