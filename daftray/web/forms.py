"""Forms as browsers send them (``application/x-www-form-urlencoded``)."""

from __future__ import annotations

from urllib.parse import parse_qsl

from daftray.api.auth import AnyRequest
from daftray.api.authentication import CSRF_FIELD, check_token, credentials_of
from daftray.domain.errors import InvalidInputError

SMALL = 64 * 1024
"""Bytes that a form of a few fields may have."""
_MOST_FIELDS = 500
_MEDIA_TYPE = "application/x-www-form-urlencoded"


class Form:
    """The fields of a form, each with every value that it came with."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __repr__(self) -> str:
        """Leave the values out: passwords are among them."""
        return f"Form({sorted(self._values)})"

    @property
    def names(self) -> list[str]:
        """The names of the fields, in the order of the form."""
        return list(self._values)

    def without(self, *beginnings: str) -> list[tuple[str, str]]:
        """Return names and values, but of fields whose names begin so."""
        return [
            (name, value)
            for name, values in self._values.items()
            if not name.startswith(beginnings)
            for value in values
        ]

    def get(self, name: str) -> str:
        """Return a field's last value, or nothing."""
        return self._values.get(name, [""])[-1]

    def all(self, name: str) -> list[str]:
        """Return all values of a field."""
        return self._values.get(name, [])


async def read_form(request: AnyRequest) -> Form:
    """Return the form of a request; a body of another kind has no fields.

    Raises:
        InvalidInputError: it has too many fields, or is no text.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _MEDIA_TYPE:
        return Form([])
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError as exc:
        raise InvalidInputError("The form cannot be read.") from exc
    return Form(pairs)


async def checked_form(request: AnyRequest) -> Form:
    """Return the form of a request that changes something, and that a page of ours made.

    Raises:
        ForbiddenError: a browser's session sent it, without the session's token against forgery.
        InvalidInputError: it cannot be read.
    """
    form, session = await read_form(request), credentials_of(request).session
    if session is not None:
        check_token(session, form.get(CSRF_FIELD))
    return form
