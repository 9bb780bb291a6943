"""Refuses what a request says and we do not know, with its path: a typing error must not pass in silence.

The types themselves stay lenient, since an older client must be able to read a newer server's answer.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import msgspec

from daftray.domain.errors import InputIssue, InvalidInputError

T = TypeVar("T")


def decode(body: bytes, kind: type[T]) -> T:
    """Return a JSON body as a type; for types that keep a part as raw JSON, which Litestar would read.

    Raises:
        InvalidInputError: it is none.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise InvalidInputError(f"The body does not have the right form: {exc}") from exc


def refuse_unknown(body: bytes, decoded: msgspec.Struct) -> None:
    """Raise `InvalidInputError` for every field of a JSON body that its decoded form did not take."""
    raw = msgspec.json.decode(body)
    issues = tuple(
        InputIssue(path=path, message="there is no such field") for path in _unknown(raw, decoded, "")
    )
    if issues:
        raise InvalidInputError("The request has fields that do not exist.", issues=issues)


def _unknown(raw: Any, decoded: Any, path: str) -> list[str]:  # JSON and fields are of any type
    if isinstance(decoded, list) and isinstance(raw, list):
        pairs = zip(cast("list[Any]", raw), cast("list[Any]", decoded), strict=True)
        return [one for n, (item, taken) in enumerate(pairs) for one in _unknown(item, taken, f"{path}[{n}]")]
    if not isinstance(decoded, msgspec.Struct) or not isinstance(raw, dict):
        return []
    names = dict(zip(decoded.__struct_encode_fields__, decoded.__struct_fields__, strict=True))
    found: list[str] = []
    fields = cast("dict[str, Any]", raw)
    for key, value in fields.items():
        here = f"{path}.{key}" if path else key
        if key not in names:
            found.append(here)
        else:
            found += _unknown(value, getattr(decoded, names[key]), here)
    return found
