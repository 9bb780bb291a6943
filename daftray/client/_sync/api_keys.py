# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""API keys: made, listed and revoked; shown once."""

from __future__ import annotations

from daftray.client._sync.connection import decode, segment
from daftray.client._sync.place import Place
from daftray.client.answers import KeysAnswer
from daftray.client.asked import parameters
from daftray.domain.api_key import KeyInfo, KeyRequest, NewKey
from daftray.domain.principal import RoleName

_PATH = "/v1/api-keys"


class ApiKeys:
    """The API keys of a workspace, as far as the caller is an admin there."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def create(
        self,
        name: str,
        role: RoleName,
        *,
        project: str | None = None,
        operator: bool = False,
        expires_in_s: int | None = None,
    ) -> NewKey:
        """Make a key; its text is in the answer and nowhere else.

        Args:
            name: what it is for.
            role: ``viewer``, ``runner`` or ``admin``.
            project: the one project that it opens, by name or id; else the whole workspace.
            operator: whether it opens everything on the server, which an operator alone may give.
            expires_in_s: after how many seconds it opens nothing any more; without it, never.

        Raises:
            ForbiddenError: the caller does not hold as much.
            ProjectNotFoundError: there is no such project.
        """
        body = KeyRequest(
            name=name,
            workspace=self._place.workspace,
            project=project,
            role=role,
            operator=operator,
            expires_in_s=expires_in_s,
        )
        return decode(self._place.connection.call("POST", _PATH, body=body), NewKey)

    def list(self) -> list[KeyInfo]:
        """Return the workspace's keys that the caller may revoke, oldest first; revoked ones, too."""
        query = parameters(workspace=self._place.workspace)
        return (self._place.connection.get(_PATH, KeysAnswer, parameters=query)).api_keys

    def revoke(self, key_id: str) -> None:
        """Close a key for good. Raises `KeyNotFoundError`."""
        self._place.connection.call("DELETE", f"{_PATH}/{segment(key_id)}", repeatable=True)
