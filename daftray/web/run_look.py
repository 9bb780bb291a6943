"""What of a commit the form of a run offers: files, functions of one, fields for a function's parameters."""

from __future__ import annotations

import msgspec

from daftray.domain.errors import DaftrayError, InvalidInputError
from daftray.domain.project import Project
from daftray.domain.signature import Callable
from daftray.entrypoints.service import Entrypoints
from daftray.web.forms import Form
from daftray.web.prefill import Prefill
from daftray.web.run_arguments import (
    KIND,
    NAMED,
    PICK,
    POSITIONAL,
    PREFIXES,
    field_of,
    fields_in,
    gather,
    spread,
)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What of the commit the form offers; ``trouble`` says why there is less than was asked for."""

    files: list[str] = []
    callables: list[Callable] = []
    trouble: str | None = None

    def chosen(self, form: Form) -> Callable | None:
        """Return the callable that a form names; of those that there are the first, where it names none."""
        symbol = form.get("symbol").strip()
        there = [one for one in self.callables if one.symbol == symbol or not symbol]
        return there[0] if there else None


async def look_at(entrypoints: Entrypoints, home: Project, form: Form) -> Found:
    """Return what the commit that a form names has."""
    ref, path = form.get("ref").strip() or None, form.get("path").strip()
    found = Found()
    try:
        found = Found(files=(await entrypoints.files(home, ref)).files)
        if form.get("kind") == "function" and path:
            listed = await entrypoints.callables(home, ref, path)
            found = msgspec.structs.replace(found, callables=listed.callables)
    except DaftrayError as error:
        found = msgspec.structs.replace(found, trouble=error.detail)
    return found


def reshaped(form: Form, chosen: Callable | None, prefill: Prefill) -> Form:
    """Return a form with its arguments in the fields of the chosen callable, none of them lost."""
    parameters = (chosen.parameters if chosen else None) or ()
    fields = [field_of(one) for one in parameters if one.kind != "var_keyword"]
    before = fields_in(form)
    if fields == before:
        return form
    try:
        arguments, _ = gather(form, spread(prefill.arguments, before))
    except InvalidInputError:  # a line is no pair: it stays as it is, and is told of when the form is sent
        return form
    rest = form.without(*PREFIXES.values(), PICK, KIND, POSITIONAL, NAMED)
    texts = spread(arguments, fields).texts
    return Form([*rest, *((field, texts.get(field, "")) for field in (*fields, POSITIONAL, NAMED))])
