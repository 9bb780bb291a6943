"""Lists and pairs as people type them: one on each line.

A text that a line cannot hold as it is (it has line breaks, or spaces at its ends, or is empty) stands there
as in JSON, in double quotes. So every list of texts can be shown in a form, and comes back the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from daftray.domain.errors import InputIssue, InvalidInputError

_BREAK = re.compile(r"\r\n|\r|\n")
_QUOTE = '"'
_DECODER = json.JSONDecoder()


def read_lines(text: str) -> list[str]:
    """Return the texts of a field's lines, without the empty ones."""
    return [_read(line) for _, line in numbered(text)]


def numbered(text: str) -> list[tuple[int, str]]:
    """Return the lines that hold something, each with its number, which counts from 1."""
    lines = enumerate(_BREAK.split(text), 1)
    return [(number, line.strip()) for number, line in lines if line.strip()]


def written_lines(texts: Iterable[str]) -> str:
    """Return a field that `read_lines` makes the same texts of."""
    return "\n".join(_written(text) for text in texts)


def read_pairs(field: str, text: str) -> dict[str, str]:
    """Return what a field's lines say, each ``name=value``.

    Raises:
        InvalidInputError: at the field: a line says no such thing, or a name again.
    """
    pairs: dict[str, str] = {}
    for number, line in numbered(text):
        name, equals, value = _split(line)
        if not equals:
            raise refusal(field, f"line {number}: give name=value, one on each line")
        if name in pairs:
            raise refusal(field, f"line {number}: {name} is given twice")
        pairs[name] = _read(value)
    return pairs


def written_pairs(pairs: Mapping[str, str]) -> str:
    """Return a field that `read_pairs` makes the same pairs of."""
    return "\n".join(f"{_written_name(name)}={_written_value(value)}" for name, value in pairs.items())


def refusal(field: str, message: str) -> InvalidInputError:
    """Return the refusal of what was typed into a field."""
    return refusals([InputIssue(path=field, message=message)])


def refusals(issues: Sequence[InputIssue]) -> InvalidInputError:
    """Return the refusal of what was typed into several fields, each named by an issue's path."""
    return InvalidInputError("The run cannot be created as asked.", issues=tuple(issues))


def _read(text: str) -> str:
    """Return what a line, or a value at its end, says."""
    text = text.strip()
    if not text.startswith(_QUOTE):
        return text
    found = _quoted(text)
    return text if found is None or found[1] != len(text) else found[0]


def _split(line: str) -> tuple[str, str, str]:
    """Return a line's name, its equals sign if it has one, and its value."""
    if line.startswith(_QUOTE) and (found := _quoted(line)) is not None:
        rest = line[found[1] :].lstrip()
        if rest.startswith("="):
            return found[0], "=", rest[1:]
    name, equals, value = line.partition("=")
    return name.strip(), equals, value


def _quoted(text: str) -> tuple[str, int] | None:
    """Return the text that JSON's quotes at the beginning hold, and where they end."""
    try:
        value, end = _DECODER.raw_decode(text)
    except ValueError:
        return None
    return value, end


def _written(text: str) -> str:
    return text if text and not text.startswith(_QUOTE) and _is_plain(text) else json.dumps(text)


def _written_value(text: str) -> str:
    return text if not text or (not text.startswith(_QUOTE) and _is_plain(text)) else json.dumps(text)


def _written_name(name: str) -> str:
    return name if "=" not in name and _written(name) == name else json.dumps(name)


def _is_plain(text: str) -> bool:
    return text == text.strip() and not _BREAK.search(text)
