"""What GitHub tells of: pushes, and installations that are gone.

A delivery that comes twice does no more than one: a mirror is refreshed again, and what is gone stays gone.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from daftray.domain.errors import (
    IntegrationNotFoundError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
)
from daftray.domain.ports import IntegrationStore
from daftray.domain.remotes import repository_of
from daftray.projects.github_access import GithubAccess
from daftray.projects.refreshes import Refreshes
from daftray.projects.service import Projects

_PREFIX = "sha256="
_PAGE, _MOST_PAGES = 500, 20
"""Projects of a workspace that are looked through for a push: 500 at a time, 10,000 at most."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as it came in. The signature is of the body, byte for byte."""

    event: str
    signature: str
    body: bytes


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a delivery: how many mirrors will be refreshed, where an installation was taken out."""

    refreshing: int | None = None
    removed_from: tuple[str, ...] = ()
    installation: int | None = None


class _Installation(msgspec.Struct, frozen=True):
    id: int


class _Repository(msgspec.Struct, frozen=True):
    clone_url: str


class _Push(msgspec.Struct, frozen=True):
    repository: _Repository
    installation: _Installation | None = None


class _InstallationEvent(msgspec.Struct, frozen=True):
    action: str
    installation: _Installation


class GithubHooks:
    """Takes deliveries in. Without a secret there are none."""

    def __init__(
        self,
        *,
        secret: bytes | None,
        integrations: IntegrationStore,
        projects: Projects,
        refreshes: Refreshes,
        access: GithubAccess | None,
    ) -> None:
        self._secret = secret
        self._integrations = integrations
        self._projects = projects
        self._access = access
        self.refreshes = refreshes

    async def receive(self, delivery: Delivery) -> Heard:
        """Do what a delivery calls for, as far as it does not take long.

        Raises:
            NotFoundError: this server takes none.
            UnauthenticatedError: it is not GitHub's.
            InvalidInputError: it is not what GitHub sends.
        """
        self._check(delivery)
        try:
            if delivery.event == "push":
                return await self._pushed(msgspec.json.decode(delivery.body, type=_Push))
            if delivery.event == "installation":
                said = msgspec.json.decode(delivery.body, type=_InstallationEvent)
                return await self._gone(said.installation.id) if said.action == "deleted" else Heard()
        except (msgspec.DecodeError, RecursionError) as exc:
            raise InvalidInputError("The delivery is not what GitHub sends: choose JSON there.") from exc
        return Heard()

    def _check(self, delivery: Delivery) -> None:
        if self._secret is None:
            raise NotFoundError("This server takes no deliveries of GitHub's.")
        mac = hmac.digest(self._secret, delivery.body, hashlib.sha256).hex()
        if not hmac.compare_digest(delivery.signature.encode(), (_PREFIX + mac).encode()):
            raise UnauthenticatedError("The delivery is not signed by the secret that GitHub was given.")

    async def _pushed(self, push: _Push) -> Heard:
        wanted, found = repository_of(push.repository.clone_url), 0
        if push.installation is None or wanted is None:
            return Heard(refreshing=0)
        for workspace in await self._integrations.workspaces(push.installation.id):
            for page in range(_MOST_PAGES):
                projects = await self._projects.list(workspace, limit=_PAGE, offset=page * _PAGE)
                for project in projects:
                    remote = project.source.remote.remote
                    if repository_of(remote) == wanted:
                        self.refreshes.ask(project.id, remote)
                        found += 1
                if len(projects) < _PAGE:
                    break
        return Heard(refreshing=found)

    async def _gone(self, installation: int) -> Heard:
        if self._access is not None:
            self._access.forget(installation)
        removed: list[str] = []
        for workspace in await self._integrations.workspaces(installation):
            try:
                await self._integrations.delete(workspace, installation)
            except IntegrationNotFoundError:  # somebody was quicker
                continue
            removed.append(workspace)
        return Heard(removed_from=tuple(removed), installation=installation)
