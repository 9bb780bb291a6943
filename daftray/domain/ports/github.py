"""What is needed of GitHub: tokens that open the repositories of an App's installations."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class InstallationTokens(Protocol):
    """Tokens of the operator's GitHub App, each for reading one repository."""

    async def token(self, remote: str, installations: Collection[int]) -> str | None:
        """Return a token for reading a remote's repository, where one of those installations has it.

        Nothing is what is answered for a remote of another host, or one that is not https.

        Raises:
            SourceUnavailableError: GitHub does not answer, or not now.
            SourceDeniedError: GitHub does not take the App's key, or the App may not read code.
        """
        ...

    def forget(self, installation: int) -> None:
        """Drop what is known of an installation: it is gone."""
        ...
