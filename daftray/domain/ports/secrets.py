"""How secret values are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from daftray.domain.project import SealedSecret


class Vault(Protocol):
    """Encryption at rest."""

    def seal(self, *, owner: str, name: str, value: str, at: datetime) -> SealedSecret:
        """Return a secret in the form in which it is kept."""
        ...

    def open(self, secret: SealedSecret) -> str:
        """Return a secret's value. Raises `SecretUnreadableError`."""
        ...
