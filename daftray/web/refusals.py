"""What was refused, as a form shows it: each issue beside its field, the others above the form."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from daftray.api.problems import STATUS_OF
from daftray.domain.errors import DaftrayError, InputIssue, InvalidInputError, NameTakenError


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a form comes back. ``issues`` have the names of fields as paths, or paths within them."""

    detail: str
    status: int
    issues: tuple[InputIssue, ...] = ()

    def at(self, field: str) -> list[str]:
        """Return what is wrong with a field, and where in it that is."""
        found = [issue for issue in self.issues if _within(issue.path, field)]
        inside = [issue.path.removeprefix(field).removeprefix(".") for issue in found]
        return [
            f"{where}: {issue.message}" if where else issue.message
            for issue, where in zip(found, inside, strict=True)
        ]

    def besides(self, fields: Iterable[str]) -> list[InputIssue]:
        """Return what is wrong with none of these fields."""
        known = list(fields)
        return [issue for issue in self.issues if not any(_within(issue.path, one) for one in known)]


def refusal_of(error: DaftrayError) -> Refusal:
    """Return an error as a form shows it. A name that is taken is an issue of the field ``name``."""
    issues = error.issues if isinstance(error, InvalidInputError) else ()
    if isinstance(error, NameTakenError):
        issues = (InputIssue(path="name", message="is taken: choose another one"),)
    return Refusal(detail=error.detail, status=STATUS_OF[error.code], issues=issues)


def _within(path: str, field: str) -> bool:
    return path == field or path.startswith((f"{field}.", f"{field}["))
