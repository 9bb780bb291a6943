"""Arguments of a function between a request, where they are values, and a form, where they are texts.

A form has a field for each parameter once the function's signature is seen, by position or by name as its
kind wants it, and two of any number of lines for what fits none: ``positional`` and ``arguments``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import msgspec

from daftray.domain.errors import InputIssue
from daftray.domain.signature import Parameter, ParameterKind
from daftray.web.form_lines import read_lines, read_pairs, written_lines, written_pairs
from daftray.web.forms import Form

POSITIONAL, NAMED = "positional", "arguments"
"""The fields of any number of lines: of values, and of ``name=value``."""
PREFIXES: dict[ParameterKind, str] = {
    "positional_only": "arg-positional.",
    "positional_or_keyword": "arg.",
    "keyword_only": "arg-named.",
    "var_positional": "arg-rest.",
}
"""What the names of parameters' fields begin with. A ``**`` has its lines in ``arguments``."""
PICK = "pick."
"""Before a field's name: that of the list of data sources and catalogs beside it."""
KIND = "as."
"""Before a field's name: that of the hidden one which says what its text has to be."""
CONNECTIONS = ("data_source", "catalog")
_BY_POSITION = ("arg-positional.", "arg.")
_REST = PREFIXES["var_positional"]


class Arguments(msgspec.Struct, frozen=True):
    """What a function is called with."""

    args: list[object] = []
    kwargs: dict[str, object] = {}


class Spread(msgspec.Struct, frozen=True):
    """Arguments over the fields of a form: the text of each, and the values that the text stands for."""

    texts: dict[str, str] = {}
    values: dict[str, object] = {}
    """Of a field of lines, a list or a dictionary of them."""


def field_of(parameter: Parameter) -> str:
    """Return the name of a parameter's field."""
    if parameter.kind == "var_keyword":
        return NAMED
    return PREFIXES[parameter.kind] + parameter.name


def fields_in(form: Form) -> list[str]:
    """Return the names of the fields that stand for parameters, in the order of the signature."""
    return [name for name in form.names if name.startswith(tuple(PREFIXES.values()))]


def text_in(form: Form, field: str) -> str:
    """Return what a field says: its text, or what is picked beside it."""
    text = form.get(field)
    if text.strip() or not (picked := form.get(PICK + field)):
        return _plain(text)
    sort, _, name = picked.partition(":")
    if form.get(KIND + field).partition(" ")[0] in CONNECTIONS:
        return name
    return text_of({sort: name})


def text_of(value: object) -> str:
    """Return a value's text: that of a text is itself, of anything else JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def value_of(text: str) -> object:
    """Return what a text stands for: itself, or the mapping that names a data source or a catalog.

    Everything else the runner makes of it, by the parameter's annotation.
    """
    if text.lstrip().startswith("{"):
        try:
            found: object = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
        if mapping_of(found) is not None:
            return found
    return text


def mapping_of(value: object) -> tuple[str, str] | None:
    """Return the sort and the name in ``{"data_source": NAME}`` or ``{"catalog": NAME}``."""
    if isinstance(value, dict) and len(given := cast("dict[object, object]", value)) == 1:
        (sort, name), *_ = given.items()
        if sort in CONNECTIONS and isinstance(name, str):
            return str(sort), name
    return None


def spread(arguments: Arguments, fields: Sequence[str]) -> Spread:
    """Return arguments over the fields of parameters, given in the order of the signature."""
    values: dict[str, object] = {}
    left, named = list(arguments.args), dict(arguments.kwargs)
    for field in fields:
        if field.startswith(_BY_POSITION) and left:
            values[field] = left.pop(0)
    for field in fields:
        name = field.partition(".")[2]
        if field.startswith(("arg.", "arg-named.")) and field not in values and name in named:
            values[field] = named.pop(name)
    rest = next((field for field in fields if field.startswith(_REST)), POSITIONAL)
    texts = {field: text_of(value) for field, value in values.items()}
    texts[rest] = written_lines(text_of(value) for value in left)
    texts[NAMED] = written_pairs({name: text_of(value) for name, value in named.items()})
    return Spread(texts, {**values, rest: left, NAMED: named})


def gather(form: Form, before: Spread) -> tuple[Arguments, list[InputIssue]]:
    """Return what the fields say, and what is wrong with their order.

    A text that stands for a value of ``before`` in the same place is that value, of whatever type.

    Raises:
        InvalidInputError: a line of the field ``arguments`` is no ``name=value``.
    """
    fields = fields_in(form)
    rest = [
        value
        for field in (*(one for one in fields if one.startswith(_REST)), POSITIONAL)
        for value in _listed(form, field, before)
    ]
    given = {field: value for field in fields for value in _scalar(form, field, before)}
    ordered = [
        one for one in fields if one.startswith("arg-positional.") or (rest and one.startswith("arg."))
    ]
    if not rest:
        ordered = ordered[: _last(ordered, given)]
    issues = [
        InputIssue(path=field, message="give this too: what comes after it goes by position")
        for field in ordered
        if field not in given
    ]
    args = [given[field] for field in ordered if field in given] + rest
    kwargs = {field.partition(".")[2]: value for field, value in given.items() if field not in ordered}
    return Arguments(args, kwargs | _paired(form, before)), issues


def _last(fields: Sequence[str], given: Mapping[str, object]) -> int:
    """Return how many fields there are up to the last one that is given."""
    return max((number for number, field in enumerate(fields, 1) if field in given), default=0)


def _scalar(form: Form, field: str, before: Spread) -> Iterable[object]:
    """Yield the value of a parameter's field, if it has one."""
    if field.startswith(_REST):
        return
    text = text_in(form, field)
    if field in before.values and text == _plain(before.texts[field]):
        yield before.values[field]
    elif text.strip():
        yield value_of(text)


def _listed(form: Form, field: str, before: Spread) -> Iterable[object]:
    known = cast("list[object]", before.values.get(field, []))
    for number, text in enumerate(read_lines(form.get(field))):
        same = number < len(known) and text_of(known[number]) == text
        yield known[number] if same else value_of(text)


def _paired(form: Form, before: Spread) -> dict[str, object]:
    known = cast("dict[str, object]", before.values.get(NAMED, {}))
    return {
        name: known[name] if name in known and text_of(known[name]) == text else value_of(text)
        for name, text in read_pairs(NAMED, form.get(NAMED)).items()
    }


def _plain(text: str) -> str:
    """Return a text with the line breaks of a request, not those of a form."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
