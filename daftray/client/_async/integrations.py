"""Integrations of a workspace: so far, installations of the operator's GitHub App."""

from __future__ import annotations

from daftray.client._async.connection import decode
from daftray.client._async.place import Place
from daftray.client.answers import IntegrationsAnswer
from daftray.domain.integration import GithubInstallation, Integration, IntegrationRequest


class AsyncIntegrations:
    """The integrations of the workspace; an admin's calls, but `list`."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def list(self) -> list[Integration]:
        """Return the integrations, oldest first."""
        return (await self._place.connection.get(self._path, IntegrationsAnswer)).integrations

    async def add(self, installation_id: int) -> Integration:
        """Record an installation of the GitHub App, by GitHub's number; a second time changes nothing."""
        body = _request(installation_id)
        response = await self._place.connection.call("POST", self._path, body=body, repeatable=True)
        return decode(response, Integration)

    async def remove(self, installation_id: int) -> None:
        """Take an installation out. Raises `IntegrationNotFoundError`."""
        await self._place.connection.call("DELETE", self._path, body=_request(installation_id))

    @property
    def _path(self) -> str:
        return f"{self._place.workspace_path}/integrations"


def _request(installation_id: int) -> IntegrationRequest:
    return IntegrationRequest(github=GithubInstallation(installation_id=installation_id))
