# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""The audit log: who changed what, when, and from where."""

from __future__ import annotations

from daftray.client._sync.place import Place
from daftray.client.answers import AuditAnswer
from daftray.client.asked import parameters


class Audit:
    """The audit log of the workspace (an admin's), or of the whole server (an operator's)."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def list(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        project: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> AuditAnswer:
        """Return a page of the workspace's changes, newest first; ``next_cursor`` asks for the next one.

        Args:
            actor: the id of the key or user that made the change.
            action: a code such as ``run.create``.
            project: a project's id.
            cursor: the ``next_cursor`` of the page before.
            limit: how many, at most 200.

        Raises:
            ForbiddenError: the caller is no admin of the workspace.
        """
        query = parameters(actor=actor, action=action, project=project, cursor=cursor, limit=limit)
        path = f"{self._place.workspace_path}/audit"
        return self._place.connection.get(path, AuditAnswer, parameters=query)

    def list_all(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> AuditAnswer:
        """Return a page of the changes in all workspaces and outside of them, as `list` does.

        Raises:
            ForbiddenError: the caller is no operator.
        """
        query = parameters(actor=actor, action=action, cursor=cursor, limit=limit)
        return self._place.connection.get("/v1/audit", AuditAnswer, parameters=query)
