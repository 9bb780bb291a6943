"""Classes of a file whose values have a known form: enums, dataclasses, models, named tuples and the like."""

from __future__ import annotations

import ast
from collections.abc import Callable

from daftray.domain.signature import Parameter, TypeKind, TypeShape
from daftray.entrypoints.names import Names, statements
from daftray.entrypoints.text import SourceText

_ENUMS = frozenset(
    {"enum.Enum", "enum.StrEnum", "enum.IntEnum", "enum.Flag", "enum.IntFlag", "enum.ReprEnum"}
)
_RECORDS: dict[str, TypeKind] = {
    "pydantic.BaseModel": "model",
    "pydantic.main.BaseModel": "model",
    "msgspec.Struct": "struct",
    "typing.NamedTuple": "named_tuple",
    "typing.TypedDict": "typed_dict",
    "typing_extensions.TypedDict": "typed_dict",
    "typing_extensions.NamedTuple": "named_tuple",
}
_DATACLASSES = frozenset({"dataclasses.dataclass", "pydantic.dataclasses.dataclass"})
_MOST_FIELDS = 200
_DEEPEST_BASES = 8
_MAKES_DEFAULT = ("default", "default_factory")
ShapeOf = Callable[[ast.expr | None, int], TypeShape]


class Records:
    """Reads classes. ``shape_of`` reads an annotation, at a depth that it bounds."""

    def __init__(self, names: Names, text: SourceText, shape_of: ShapeOf) -> None:
        self._names = names
        self._text = text
        self._shape_of = shape_of

    def of(self, found: ast.ClassDef, depth: int) -> TypeShape:
        """Return the shape of a class's values; ``unknown`` where only its own objects fit."""
        kind = self.kind_of(found)
        if kind is None:
            return TypeShape(kind="unknown", name=found.name)
        if kind == "enum":
            return TypeShape(kind="enum", name=found.name, choices=tuple(_members(found)))
        return TypeShape(kind=kind, name=found.name, fields=self.fields_of(found, depth + 1))

    def kind_of(self, found: ast.ClassDef) -> TypeKind | None:
        """Return what kind of record a class is, if it is one."""
        for each in self._with_bases(found):
            decorators = (one.func if isinstance(one, ast.Call) else one for one in each.decorator_list)
            if any(self._names.full(one) in _DATACLASSES for one in decorators):
                return "dataclass"
            for base in each.bases:
                name = self._names.full(base) or ""
                if name in _ENUMS:
                    return "enum"
                if name in _RECORDS:
                    return _RECORDS[name]
        return None

    def fields_of(self, found: ast.ClassDef, depth: int) -> tuple[Parameter, ...]:
        """Return a record's fields, those of its bases in this file first."""
        annotated: dict[str, ast.AnnAssign] = {}
        for each in reversed(self._with_bases(found)):
            for one in statements(each.body):
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
                    annotated[one.target.id] = one
        some = list(annotated.items())[:_MOST_FIELDS]
        return tuple(
            self._field(name, one, depth) for name, one in some if not self._is_class_variable(one.annotation)
        )

    def _field(self, name: str, one: ast.AnnAssign, depth: int) -> Parameter:
        shape = self._shape_of(one.annotation, depth)
        return Parameter(
            name=name,
            kind="keyword_only",
            annotation=self._text.of(one.annotation),
            default=self._text.of(one.value),
            required=one.value is None or not _gives_default(one.value),
            type=shape,
        )

    def _is_class_variable(self, annotation: ast.expr) -> bool:
        inner = annotation.value if isinstance(annotation, ast.Subscript) else annotation
        return self._names.full(inner) == "typing.ClassVar"

    def _with_bases(self, found: ast.ClassDef) -> list[ast.ClassDef]:
        """Return a class and its bases in this file, nearest first."""
        seen = [found]
        for each in seen:
            for base in each.bases:
                known = self._names.classes.get(self._names.full(base) or "")
                if known is not None and known not in seen and len(seen) < _DEEPEST_BASES:
                    seen.append(known)
        return seen


def _members(found: ast.ClassDef) -> list[str]:
    targets = [one.targets[0] for one in statements(found.body) if isinstance(one, ast.Assign)]
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return [name for name in names if not name.startswith("_")][:_MOST_FIELDS]


def _gives_default(value: ast.expr) -> bool:
    """Whether a field's value is a default: ``field(repr=False)`` and ``Field(...)`` are none."""
    if not isinstance(value, ast.Call):
        return True
    called = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
    if called not in {"field", "Field"}:
        return True
    first = value.args[0] if value.args else None
    if first is not None:
        return not (isinstance(first, ast.Constant) and first.value is Ellipsis)
    return any(word.arg in _MAKES_DEFAULT for word in value.keywords)
