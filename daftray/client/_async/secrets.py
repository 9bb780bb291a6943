"""Secrets of a project: set and removed, never read back."""

from __future__ import annotations

from daftray.client._async.connection import segment
from daftray.client._async.place import Place
from daftray.client.answers import SecretsAnswer
from daftray.domain.project import Secret


class AsyncSecrets:
    """The secrets of a project. All of them are set in its runs' environment, by name."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def set(self, name: str, value: str) -> None:
        """Keep a secret, in place of an older one of that name.

        Raises:
            InvalidInputError: the name is no environment variable's.
        """
        path = f"{self._path()}/{segment(name)}"
        await self._place.connection.call("PUT", path, body={"value": value}, repeatable=True)

    async def list(self) -> list[Secret]:
        """Return the names and dates of the project's secrets."""
        answer = await self._place.connection.get(self._path(), SecretsAnswer)
        return answer.secrets

    async def delete(self, name: str) -> None:
        """Remove a secret. Raises `SecretNotFoundError`."""
        await self._place.connection.call("DELETE", f"{self._path()}/{segment(name)}")

    def _path(self) -> str:
        return f"{self._place.project_path}/secrets"
