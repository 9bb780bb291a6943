"""The `InstallationTokens` of GitHub. What each call means is said there.

A token is asked for one repository and for reading alone, though an installation may open many: a run's
author decides what the repository's submodules are, and must not reach others by them.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import msgspec

from daftray.adapters.github.rest import AppRest
from daftray.domain.errors import SourceDeniedError, SourceUnavailableError
from daftray.domain.ports import Clock
from daftray.domain.remotes import repository_of

RENEWED_BEFORE = timedelta(minutes=5)
"""How long before its end a token is not given any more: a clone takes a while."""
ABSENT_FOR = timedelta(minutes=1)
"""How long it is kept that the App has no installation for a repository, or which one."""
BOUND = 1000
"""Repositories that are known at a time; the one that was asked for least lately goes."""
_REPOSITORY = re.compile(r"[a-z0-9_.-]{1,100}/[a-z0-9_.-]{1,100}")
_TOKEN = re.compile(r"[!-~]{1,4096}")
Answer = TypeVar("Answer")


class _Installation(msgspec.Struct, frozen=True):
    id: int


class _Token(msgspec.Struct, frozen=True):
    token: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class _Known:
    """Which installation has a repository, and its token as far as one was asked for; until when."""

    installation: int | None
    until: datetime
    token: str | None = None

    def __repr__(self) -> str:
        """Leave the token out."""
        return f"_Known(installation={self.installation!r})"


class GithubTokens:
    """Asks for tokens and keeps them in memory alone, for as long as they are good."""

    def __init__(self, rest: AppRest, *, clock: Clock, bound: int = BOUND) -> None:
        self._rest = rest
        self._clock = clock
        self._bound = bound
        self._scheme, self._host = _git_host(rest.url)
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def token(self, remote: str, installations: Collection[int]) -> str | None:
        """Return a token for reading that repository, where one of those installations has it."""
        repository = self._repository(remote)
        if repository is None or not installations:
            return None
        async with self._locks.setdefault(repository, asyncio.Lock()):  # runs come many at a time
            known = self._kept(repository) or await self._find(repository)
            if known.installation is None or known.installation not in installations:
                return None
            if known.token is None:
                known = await self._asked(repository, known.installation)
            return known.token

    def forget(self, installation: int) -> None:
        """Drop what is known of an installation."""
        for repository in [name for name, known in self._known.items() if known.installation == installation]:
            del self._known[repository]

    def _repository(self, remote: str) -> str | None:
        parts = repository_of(remote)
        if parts is None or not remote.startswith(f"{self._scheme}://") or parts[0] != self._host:
            return None
        found = _REPOSITORY.fullmatch(parts[1])
        return parts[1] if found and not {".", ".."} & {*parts[1].split("/")} else None

    def _kept(self, repository: str) -> _Known | None:
        known = self._known.get(repository)
        if known is None or self._clock.now() >= known.until:
            return None
        self._known.move_to_end(repository)
        return known

    def _keep(self, repository: str, known: _Known) -> _Known:
        self._known[repository] = known
        self._known.move_to_end(repository)
        while len(self._known) > self._bound:
            self._known.popitem(last=False)
        return known

    async def _find(self, repository: str) -> _Known:
        """Look which installation has a repository."""
        until = self._clock.now() + ABSENT_FOR
        status, body = await self._rest.ask("GET", f"/repos/{repository}/installation")
        found = self._decoded(body, _Installation).id if status == HTTPStatus.OK else None
        return self._keep(repository, _Known(installation=found, until=until))

    async def _asked(self, repository: str, installation: int) -> _Known:
        wanted = {"repositories": [repository.partition("/")[2]], "permissions": {"contents": "read"}}
        path = f"/app/installations/{installation}/access_tokens"
        status, body = await self._rest.ask("POST", path, wanted)
        if status == HTTPStatus.NOT_FOUND:  # it is gone since we looked
            return self._keep(repository, _Known(installation=None, until=self._clock.now() + ABSENT_FOR))
        if status != HTTPStatus.CREATED:
            raise SourceDeniedError(
                f"The GitHub App's installation {installation} may not read {repository} ({status}): let the "
                'App have "Contents: read", and the installation this repository.'
            )
        made = self._decoded(body, _Token)
        if not _TOKEN.fullmatch(made.token) or made.expires_at.tzinfo is None:
            raise self._nonsense()
        until = made.expires_at - RENEWED_BEFORE
        return self._keep(repository, _Known(installation=installation, token=made.token, until=until))

    def _decoded(self, body: bytes, kind: type[Answer]) -> Answer:
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, RecursionError):  # its message might quote what came
            raise self._nonsense() from None

    def _nonsense(self) -> SourceUnavailableError:
        return SourceUnavailableError(f"The answer of GitHub's API at {self._rest.url} is not understood.")


def _git_host(api_url: str) -> tuple[str, str]:
    """Return scheme and host of the Git remotes beside an API: ``api.`` of it, or the same (Enterprise)."""
    parts = urlsplit(api_url)
    return parts.scheme, parts.netloc.lower().removeprefix("api.")
