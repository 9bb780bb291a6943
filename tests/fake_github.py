"""Tokens of installations in memory."""

from __future__ import annotations

from collections.abc import Collection

from daftray.domain.errors import SourceUnavailableError
from daftray.domain.remotes import repository_of


class FakeInstallationTokens:
    """``repositories`` says which installation has which on ``host``. ``down`` makes it answer nothing."""

    def __init__(self, host: str, repositories: dict[str, int]) -> None:
        self.host = host
        self.repositories = repositories
        self.down = False
        self._known: dict[str, tuple[int, str]] = {}
        self._made = 0

    async def token(self, remote: str, installations: Collection[int]) -> str | None:
        host, path = repository_of(remote) or ("", "")
        if not remote.startswith("http") or host != self.host or not installations or path.count("/") != 1:
            return None
        if path not in self._known:
            if self.down:
                raise SourceUnavailableError
            if self.repositories.get(path) not in installations:
                return None
            self._made += 1
            self._known[path] = self.repositories[path], f"token-{self._made}"
        installation, token = self._known[path]
        return token if installation in installations else None

    def forget(self, installation: int) -> None:
        self._known = {path: known for path, known in self._known.items() if known[0] != installation}
