"""Whether a text can be what a parameter's annotation asks for, as far as that is seen without running it.

The runner converts, and has the last word: what is refused here, it would refuse too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal, InvalidOperation

from daftray.domain.errors import InputIssue
from daftray.web.form_lines import read_lines
from daftray.web.forms import Form
from daftray.web.run_arguments import KIND, PICK, text_in

NEEDED, NULLABLE = "needed", "nullable"
"""Words after the kind in a hidden field: it must be given; it may be none."""
_NULLS = frozenset({"null", "none"})
_TRUTHS = frozenset({"true", "false", "1", "0", "yes", "no", "on", "off", "t", "f", "y", "n"})
_NOTATION = frozenset("'()")
"""What Python's own notation has and JSON has not: the runner reads it."""
_REFUSALS = {
    "int": "give a whole number",
    "float": "give a number",
    "decimal": "give a number",
    "bool": "give true or false",
    "date": "give a date: 2026-01-31",
    "time": "give a time: 10:30 or 10:30:00",
    "json": "give JSON",
    "object": 'give a JSON object: {"name": 1}',
}


def argument_issues(form: Form) -> list[InputIssue]:
    """Return what is wrong with the arguments that a form gives, each at its field."""
    found: list[InputIssue] = []
    for name in form.names:
        if name.startswith(KIND):
            field = name.removeprefix(KIND)
            kind, *words = form.get(name).split() or ["any"]
            found += [InputIssue(path=field, message=text) for text in _issues(form, field, kind, words)]
    return found


def _issues(form: Form, field: str, kind: str, words: list[str]) -> list[str]:
    text = text_in(form, field)
    if form.get(field).strip() and form.get(PICK + field):
        return ["give a text or choose from the list, not both"]
    if not text.strip():
        return ["give a value: it has no default"] if NEEDED in words else []
    texts = read_lines(text) if field.startswith("arg-rest.") else [text.strip()]
    if all((NULLABLE in words and one.lower() in _NULLS) or _fits(kind, one) for one in texts):
        return []
    return [_REFUSALS[kind]]


def _fits(kind: str, text: str) -> bool:
    check = _CHECKS.get(kind)
    if check is None:
        return True
    try:
        return check(text) is not False
    except (ValueError, InvalidOperation, RecursionError):
        return False


def _is_json(text: str) -> bool:
    if not text.startswith(("[", "{")) or _NOTATION & set(text):
        return True
    json.loads(text)
    return True


def _is_object(text: str) -> bool:
    return text.startswith("{") and _is_json(text)


_CHECKS: dict[str, Callable[[str], object]] = {
    "int": lambda text: float(text).is_integer(),
    "float": float,
    "decimal": Decimal,
    "bool": lambda text: text.lower() in _TRUTHS,
    "date": lambda text: text.isdigit() or date.fromisoformat(text[:10]),
    "time": lambda text: text.isdigit() or time.fromisoformat(text),
    "json": _is_json,
    "object": _is_object,
}
