"""The fields of a form for a function's parameters, each as its type is typed best."""

from __future__ import annotations

import re

import msgspec

from daftray.domain.signature import Parameter, TypeKind, TypeShape
from daftray.web.argument_checks import NEEDED, NULLABLE
from daftray.web.forms import Form
from daftray.web.run_arguments import CONNECTIONS, PICK, field_of, mapping_of, text_in, value_of

_WIDGETS: dict[TypeKind, str] = {
    "int": "number",
    "float": "number",
    "decimal": "number",
    "date": "date",
    "time": "time",
    **dict.fromkeys(("list", "set", "tuple", "dict"), "textarea"),
    **dict.fromkeys(("dataclass", "model", "struct", "typed_dict", "named_tuple"), "textarea"),
}
_CHECKED: dict[TypeKind, str] = {
    **{kind: kind for kind in ("int", "float", "decimal", "bool", "date", "time", *CONNECTIONS)},
    **dict.fromkeys(("list", "set", "tuple", "named_tuple"), "json"),
    **dict.fromkeys(("dict", "dataclass", "model", "struct", "typed_dict"), "object"),
}
"""What `argument_checks` calls the kinds that it knows."""
_EXAMPLES: dict[TypeKind, str] = {
    **dict.fromkeys(("list", "set", "tuple"), '["a", "b"], or a, b'),
    "dict": '{"name": "value"}',
    "datetime": "2026-01-31T10:30:00Z",
    "timedelta": "90, 01:30:00 or PT1M30S",
    "path": "path/to/file",
    "uuid": "00000000-0000-0000-0000-000000000000",
}
_TYPED = {  # what a browser's own field takes; it empties one that holds anything else
    "number": re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?"),
    "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "time": re.compile(r"\d{2}:\d{2}(:\d{2})?"),
}
_MOST_NAMES = 12


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """The names of the project's data sources and catalogs."""

    data_source: list[str] = []
    catalog: list[str] = []

    def has(self, sort: str, name: str) -> bool:
        """Whether there is one of that name."""
        return name in getattr(self, sort)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a field shows: a text, or what is picked beside it (``data_source:orders``)."""

    text: str = ""
    picked: str = ""


class ArgumentField(msgspec.Struct, frozen=True, kw_only=True):
    """A field. ``widget`` is an input's type, ``textarea`` or ``select``; ``picks`` are sorts beside it."""

    name: str
    label: str
    note: str
    widget: str
    step: str
    choices: list[str]
    placeholder: str
    required: bool
    kind: str
    picks: list[str]
    now: Shown
    before: Shown | None


def argument_field(parameter: Parameter, form: Form, before: Form | None, known: Connected) -> ArgumentField:
    """Return the field of a parameter as a form has it filled in, and as it was at first."""
    name, shape = field_of(parameter), parameter.type
    several = parameter.kind == "var_positional"
    picks = [] if several else _picks(shape)
    text = text_in(form, name)
    was = text_in(before, name) if before is not None else None
    words = (NEEDED if parameter.required else "", NULLABLE if shape.optional else "")
    return ArgumentField(
        name=name,
        label=("*" if several else "") + parameter.name,
        note=_note(parameter),
        widget=_widget(shape, [text, *([] if was is None else [was])], several=several),
        step="1" if shape.kind == "int" else "any",
        choices=_choices(shape, text, was or ""),
        placeholder=_placeholder(parameter),
        required=parameter.required and not several and not picks,
        kind=" ".join([_CHECKED.get(shape.kind, "any"), *filter(None, words)]),
        picks=picks,
        now=_shown(form, name, text, picks, known),
        before=None if was is None else _shown(Form([]), name, was, picks, known),
    )


def _shown(form: Form, name: str, text: str, picks: list[str], known: Connected) -> Shown:
    """Return a text as what is picked, where it names something that there is and says nothing else."""
    if form.get(PICK + name) and form.get(name).strip():
        return Shown(text=form.get(name), picked=form.get(PICK + name))
    named = (picks[0], text) if len(picks) == 1 else mapping_of(value_of(text))
    if picks and named is not None and known.has(*named):
        return Shown(picked=":".join(named))
    return Shown(text=text)


def _picks(shape: TypeShape) -> list[str]:
    """Return what may be picked for a parameter: where anything goes, either."""
    if shape.kind in CONNECTIONS:
        return [shape.kind]
    return list(CONNECTIONS) if shape.kind == "any" else []


def _widget(shape: TypeShape, texts: list[str], *, several: bool) -> str:
    if several or any("\n" in text for text in texts):
        return "textarea"
    if shape.kind == "bool" or shape.choices:
        return "select"
    widget = _WIDGETS.get(shape.kind, "text")
    typed = _TYPED.get(widget)
    return widget if typed is None or all(not text or typed.fullmatch(text) for text in texts) else "text"


def _choices(shape: TypeShape, *texts: str) -> list[str]:
    """Return the choices of a list, with what the form has and is none of them, so that it is not lost."""
    there = ["true", "false"] if shape.kind == "bool" else [str(choice) for choice in shape.choices]
    return [*there, *dict.fromkeys(text for text in texts if text and text not in there)]


def _note(parameter: Parameter) -> str:
    parts = [parameter.annotation or ""]
    if parameter.default is not None:
        parts.append(f"= {parameter.default}")
    if parameter.type.optional:
        parts.append("(null for none)")
    return " ".join(filter(None, parts))


def _placeholder(parameter: Parameter) -> str:
    shape = parameter.type
    if parameter.kind == "var_positional":
        return "one on each line"
    if parameter.default is not None:
        return parameter.default
    if shape.fields:
        names = ", ".join(f'"{one.name}": …' for one in shape.fields[:_MOST_NAMES])
        return f"{{{names}}}"
    return _EXAMPLES.get(shape.kind, "")
