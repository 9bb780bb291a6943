"""Which attempt of a run a page is about."""

from __future__ import annotations

from daftray.api.auth import AnyRequest
from daftray.domain.errors import InputIssue, InvalidInputError

_LONGEST = 6


def attempt_of(request: AnyRequest) -> int | None:
    """Return the attempt that the address names, if it names one.

    Raises:
        InvalidInputError: it is no number of an attempt.
    """
    text = request.query_params.get("attempt", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST and int(text) >= 1):
        issue = InputIssue(path="attempt", message="give a number from 1 on")
        raise InvalidInputError("There is no such attempt.", issues=(issue,))
    return int(text)
