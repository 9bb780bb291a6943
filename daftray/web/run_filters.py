"""Which runs a list shows, as its address says it: the API's own words for filters."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace

from daftray.api.auth import AnyRequest
from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.ports import RunQuery
from daftray.domain.status import RunStatus

PAGE_SIZE = 50
LARGEST_PAGE = 200
_LONGEST = 500


class RunFilters(msgspec.Struct, frozen=True, kw_only=True):
    """The filters of a list, as they were typed; an empty one lets everything through."""

    status: str = ""
    q: str = ""
    label: tuple[str, ...] = ()
    trigger: str = ""
    task: str = ""
    created_after: str = ""
    created_before: str = ""
    cursor: str = ""
    limit: str = ""

    @property
    def any(self) -> bool:
        """Whether some run may be left out."""
        return replace(self, cursor="", limit="") != RunFilters()

    def address(self, path: str, **changes: str) -> str:
        """Return the address of a list with these filters, some of them changed."""
        changed = replace(self, **changes)
        pairs = [
            (name, one) for name in self.__struct_fields__ for one in _values(getattr(changed, name)) if one
        ]
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def query(self, project: str, task: str | None) -> RunQuery:
        """Return what to ask the store for.

        Raises:
            InvalidInputError: a filter is none.
        """
        return RunQuery(
            project=project,
            status=_status(self.status),
            labels=_labels(self.label),
            text=self.q or None,
            created_after=time_in("created_after", self.created_after),
            created_before=time_in("created_before", self.created_before),
            trigger=self.trigger or None,
            task=task,
            before=self.cursor or None,
            limit=_limit(self.limit),
        )


def filters_of(request: AnyRequest) -> RunFilters:
    """Return the filters of an address. What else is in it changes nothing."""
    given = request.query_params
    names = [name for name in RunFilters.__struct_fields__ if name != "label"]
    plain = {name: given.get(name, "").strip()[:_LONGEST] for name in names}
    labels = tuple(one.strip()[:_LONGEST] for one in given.getall("label", []) if one.strip())
    return RunFilters(**plain, label=labels)


def time_in(name: str, text: str) -> datetime | None:
    """Return a time; one that says no offset is of UTC, as everything in the pages is.

    Raises:
        InvalidInputError: it is none.
    """
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as exc:  # the first day of all has none before it
        raise _refused(name, "give a time: 2026-01-31T10:30") from exc


def _values(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _status(text: str) -> RunStatus | None:
    try:
        return RunStatus(text) if text else None
    except ValueError as exc:
        raise _refused("status", f"give one of {', '.join(RunStatus)}") from exc


def _labels(pairs: tuple[str, ...]) -> dict[str, str]:
    if not all("=" in pair for pair in pairs):
        raise _refused("label", "give key=value")
    return dict(pair.split("=", 1) for pair in pairs)


def _limit(text: str) -> int:
    if not text:
        return PAGE_SIZE
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= LARGEST_PAGE:
        raise _refused("limit", f"give a number from 1 to {LARGEST_PAGE}")
    return int(text)


def _refused(path: str, message: str) -> InvalidInputError:
    return InvalidInputError("A filter is none.", issues=(InputIssue(path=path, message=message),))
