# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""What the operator of a server asks of it."""

from __future__ import annotations

from daftray.client._sync.connection import decode
from daftray.client._sync.place import Place
from daftray.domain.retention import Collected

_COLLECT_TIMEOUT_S = 600.0
"""The server may look through all that it keeps before it answers."""


class Admin:
    """Calls for whoever runs the server; they need an admin's key of the default workspace."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def gc(self, *, dry_run: bool = False) -> Collected:
        """Remove what the server's settings do not keep, or with ``dry_run`` only tell what would go.

        A call has an end: where the answer's ``more`` is true, the next call goes on.

        Raises:
            ForbiddenError: the key is not the operator's.
        """
        response = self._place.connection.call(
            "POST", "/v1/admin/gc", body={"dry_run": dry_run}, timeout_s=_COLLECT_TIMEOUT_S
        )
        return decode(response, Collected)
