"""What opens private repositories of GitHub: installations that a workspace has recorded."""

from __future__ import annotations

from daftray.domain.ports import InstallationTokens, IntegrationStore
from daftray.domain.project import Project


class GithubAccess:
    """Gives projects the tokens of their workspace's installations."""

    def __init__(self, *, tokens: InstallationTokens, integrations: IntegrationStore) -> None:
        self._tokens = tokens
        self._integrations = integrations

    async def credential(self, project: Project) -> str | None:
        """Return what opens a project's own remote, if an installation does. Raises `SourceError`."""
        recorded = await self._integrations.list(project.workspace)
        numbers = {one.github.installation_id for one in recorded}
        return await self._tokens.token(project.source.remote.remote, numbers) if numbers else None

    def forget(self, installation: int) -> None:
        """Drop what is known of an installation: it is gone."""
        self._tokens.forget(installation)
