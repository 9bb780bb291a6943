"""The callables of a file: what a function entrypoint can name, with parameters and documentation."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence

from daftray.domain.signature import Callable, Parameter, ParameterKind
from daftray.entrypoints.names import Names, statements
from daftray.entrypoints.records import Records
from daftray.entrypoints.shapes import Shapes
from daftray.entrypoints.text import SourceText

MOST_CALLABLES = 500
LONGEST_DOC = 10_000
"""Characters."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_NO_OBJECT_NEEDED = {"staticmethod": 0, "classmethod": 1}
"""How many parameters the caller of such a method does not give."""


def read_callables(data: bytes, path: str) -> tuple[list[Callable], bool]:
    """Return the callables of a file in its order, and whether it has more than are returned.

    Public ones alone; of two with one name the later, which is the one that a run would find.

    Raises:
        InvalidInputError: the file is not valid Python, and at which line.
    """
    text = SourceText(data, path)
    try:
        found = _Reader(text).read()
    except RecursionError as exc:
        raise text.refusal("it is nested too deeply") from exc
    return found[:MOST_CALLABLES], len(found) > MOST_CALLABLES


class _Reader:
    def __init__(self, text: SourceText) -> None:
        self._text = text
        self._names = Names(text.tree)
        self._shapes = Shapes(self._names, text)
        self._records = Records(self._names, text, self._shapes.of)

    def read(self) -> list[Callable]:
        found: dict[str, Callable] = {}
        for one in statements(self._text.tree.body):
            for each in self._of(one):
                found.pop(each.symbol, None)
                found[each.symbol] = each
            if len(found) > MOST_CALLABLES:
                break
        return sorted(found.values(), key=lambda each: each.line)

    def _of(self, one: ast.stmt) -> Iterator[Callable]:
        if isinstance(one, _Function) and _is_public(one.name) and not self._is_overload(one):
            yield self._function(one, one.name, skip=0)
        elif isinstance(one, ast.ClassDef) and _is_public(one.name):
            yield from self._class(one)

    def _class(self, found: ast.ClassDef) -> Iterator[Callable]:
        if self._records.kind_of(found) not in {"enum", "typed_dict"}:
            doc = _doc_of(found)
            yield Callable(
                symbol=found.name,
                kind="class",
                line=found.lineno,
                parameters=self._constructor(found),
                summary=_summary(doc),
                doc=doc,
            )
        for one in statements(found.body):
            if isinstance(one, _Function) and _is_public(one.name):
                decorators = {self._names.full(each) for each in one.decorator_list}
                for name in _NO_OBJECT_NEEDED.keys() & decorators:
                    symbol = f"{found.name}.{one.name}"
                    yield self._function(one, symbol, skip=_NO_OBJECT_NEEDED[name])

    def _constructor(self, found: ast.ClassDef) -> tuple[Parameter, ...] | None:
        for one in statements(found.body):
            if isinstance(one, ast.FunctionDef) and one.name == "__init__":
                return self._parameters(one.args, skip=1)
        if self._records.kind_of(found) is not None:
            return self._records.fields_of(found, 0)
        return None if found.bases else ()

    def _function(self, one: _Function, symbol: str, *, skip: int) -> Callable:
        doc = _doc_of(one)
        return Callable(
            symbol=symbol,
            kind="async_function" if isinstance(one, ast.AsyncFunctionDef) else "function",
            line=one.lineno,
            parameters=self._parameters(one.args, skip=skip),
            returns=self._text.of(one.returns),
            summary=_summary(doc),
            doc=doc,
        )

    def _parameters(self, args: ast.arguments, *, skip: int) -> tuple[Parameter, ...]:
        positional = [*args.posonlyargs, *args.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(args.defaults))
        defaults += args.defaults
        found: list[Parameter] = []
        for at, (one, default) in enumerate(zip(positional, defaults, strict=True)):
            by_position: ParameterKind = "positional_only"
            kind = by_position if at < len(args.posonlyargs) else "positional_or_keyword"
            found.append(self._parameter(one, kind, default))
        del found[:skip]
        if args.vararg:
            found.append(self._parameter(args.vararg, "var_positional", None))
        for one, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            found.append(self._parameter(one, "keyword_only", default))
        if args.kwarg:
            found.append(self._parameter(args.kwarg, "var_keyword", None))
        return tuple(found)

    def _parameter(self, one: ast.arg, kind: ParameterKind, default: ast.expr | None) -> Parameter:
        return Parameter(
            name=one.arg,
            kind=kind,
            annotation=self._text.of(one.annotation),
            default=self._text.of(default),
            required=default is None and not kind.startswith("var_"),
            type=self._shapes.of(one.annotation),
        )

    def _is_overload(self, one: _Function) -> bool:
        names = {self._names.full(each) for each in one.decorator_list}
        return bool(names & {"typing.overload", "typing_extensions.overload"})


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def _doc_of(node: _Function | ast.ClassDef) -> str | None:
    doc = ast.get_docstring(node, clean=False)
    return inspect.cleandoc(doc)[:LONGEST_DOC] if doc else None


def _summary(doc: str | None) -> str | None:
    return " ".join(_first_paragraph(doc.splitlines())) or None if doc else None


def _first_paragraph(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if not line.strip():
            return
        yield line.strip()
