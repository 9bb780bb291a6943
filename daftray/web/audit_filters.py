"""Which changes the audit log shows, as its address says it."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec
from msgspec.structs import asdict, replace

from daftray.api.auth import AnyRequest
from daftray.domain.audit import AuditQuery
from daftray.domain.ids import millisecond_of
from daftray.identity.access import Place
from daftray.web.run_filters import time_in

PAGE_SIZE = 50
_LONGEST = 500


class AuditFilters(msgspec.Struct, frozen=True, kw_only=True):
    """The filters as they were typed; an empty one lets everything through.

    ``where`` is empty for what is of the project, and ``workspace`` for what is of the whole workspace.
    """

    where: str = ""
    action: str = ""
    who: str = ""
    target: str = ""
    since: str = ""
    until: str = ""
    cursor: str = ""

    @property
    def any(self) -> bool:
        """Whether some change of that place may be left out."""
        return replace(self, cursor="", where="") != AuditFilters()

    def address(self, path: str, **changes: str) -> str:
        """Return the address of the log with these filters, some of them changed."""
        pairs = [(name, value) for name, value in asdict(replace(self, **changes)).items() if value]
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def query(self, place: Place) -> AuditQuery:
        """Return what to ask the log for.

        Raises:
            InvalidInputError: a filter is none.
        """
        project = place.project.id if place.project else None
        by_id = any(millisecond_of(kind, self.who) is not None for kind in ("usr", "key"))
        return AuditQuery(
            workspace=place.workspace.id,
            project=None if self.where == "workspace" else project,
            actor=self.who if by_id else None,
            actor_name=None if by_id else self.who or None,
            action=self.action or None,
            target=self.target or None,
            since=time_in("since", self.since),
            until=time_in("until", self.until),
            before=self.cursor or None,
            limit=PAGE_SIZE,
        )


def filters_of(request: AnyRequest) -> AuditFilters:
    """Return the filters of an address. What else is in it changes nothing."""
    given = request.query_params
    names = AuditFilters.__struct_fields__
    return AuditFilters(**{name: given.get(name, "").strip()[:_LONGEST] for name in names})
