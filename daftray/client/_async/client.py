"""The client: one server, one workspace, and usually one project."""

from __future__ import annotations

from types import TracebackType
from typing import Self, overload

import httpx

from daftray.client._async.admin import AsyncAdmin
from daftray.client._async.api_keys import AsyncApiKeys
from daftray.client._async.audit import AsyncAudit
from daftray.client._async.catalogs import AsyncCatalogs
from daftray.client._async.connection import AsyncConnection
from daftray.client._async.data_sources import AsyncDataSources
from daftray.client._async.integrations import AsyncIntegrations
from daftray.client._async.members import AsyncMembers
from daftray.client._async.place import Place
from daftray.client._async.prices import AsyncPrices
from daftray.client._async.projects import AsyncProjects
from daftray.client._async.runs import AsyncRuns
from daftray.client._async.secrets import AsyncSecrets
from daftray.client._async.tasks import AsyncTasks
from daftray.client._async.users import AsyncUsers
from daftray.client._async.workspaces import AsyncWorkspaces
from daftray.client.answers import Retry
from daftray.client.asked import parameters
from daftray.client.profile import Wanted, find_address
from daftray.client.sign_in_answers import WhoAmI
from daftray.domain.signature import EntrypointListing, SourceListing

DEFAULT_TIMEOUT_S = 30.0


class AsyncClient:
    """A daftray server.

    Address and key come from the arguments, else from ``DAFTRAY_URL`` and ``DAFTRAY_API_KEY``, else from the
    profile file, else from the data directory of a server on this machine. In place of a key the profile may
    hold a sign-in (`daftray login`), which is kept good. The calls come in groups:
    ``runs``, ``tasks``, ``projects``, ``secrets``, ``data_sources``, ``catalogs``, ``prices``, ``users``,
    ``api_keys``, ``workspaces``, ``members``, ``integrations``, ``audit`` and ``admin``.
    Every call has a timeout; those that may be repeated are, while nobody answers.

    Args:
        base_url: the server's address, such as ``https://daftray.example.com``.
        api_key: the key to it.
        project: the project, by name or id, that calls on what is in a project mean.
        workspace: the workspace; ``default`` unless the profile says otherwise.
        profile: the profile to use, in place of ``DAFTRAY_PROFILE``.
        timeout_s: how long one call may wait for its answer, in seconds.
        retry: how patient the client is with a server that does not answer.
        transport: in place of the network, for tests.

    Raises:
        NotConfiguredError: no address or no key is known.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        project: str | None = None,
        workspace: str | None = None,
        profile: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retry: Retry | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        wanted = Wanted(
            base_url=base_url, api_key=api_key, workspace=workspace, project=project, profile=profile
        )
        address = find_address(wanted)
        connection = AsyncConnection(
            address, timeout_s=timeout_s, retry=retry or Retry(), transport=transport
        )
        self._use(Place(connection, workspace=address.workspace, project=address.project))

    def _use(self, place: Place) -> None:
        self._place = place
        self.runs = AsyncRuns(place)
        self.projects = AsyncProjects(place)
        self.secrets = AsyncSecrets(place)
        self.tasks = AsyncTasks(place)
        self.data_sources = AsyncDataSources(place)
        self.catalogs = AsyncCatalogs(place)
        self.prices = AsyncPrices(place)
        self.admin = AsyncAdmin(place)
        self.users = AsyncUsers(place)
        self.api_keys = AsyncApiKeys(place)
        self.workspaces = AsyncWorkspaces(place)
        self.members = AsyncMembers(place)
        self.integrations = AsyncIntegrations(place)
        self.audit = AsyncAudit(place)

    @property
    def base_url(self) -> str:
        """The server's address."""
        return self._place.connection.address.base_url

    @property
    def project(self) -> str | None:
        """The project that calls on runs and secrets mean."""
        return self._place.project

    @property
    def workspace(self) -> str:
        """The workspace that all calls mean."""
        return self._place.workspace

    def in_project(self, project: str) -> AsyncClient:
        """Return a client of another project, over the same connections; closing either closes both."""
        client = object.__new__(AsyncClient)
        client._use(self._place.in_project(project))
        return client

    @overload
    async def entrypoints(self, path: None = None, *, ref: str | None = None) -> SourceListing: ...

    @overload
    async def entrypoints(self, path: str, *, ref: str | None = None) -> EntrypointListing: ...

    async def entrypoints(
        self, path: str | None = None, *, ref: str | None = None
    ) -> SourceListing | EntrypointListing:
        """Return the Python files of a commit; with a path, what of that file can be run.

        Nothing is imported or executed: the text is read.

        Args:
            path: a ``.py`` file from the root, or a dotted module name.
            ref: a branch, tag or commit; the project's branch by default.

        Raises:
            FileNotInSourceError: the commit has no such file.
            SourceError: the commit or the file cannot be read.
        """
        return await self._place.connection.get(
            f"{self._place.project_path}/entrypoints",
            SourceListing if path is None else EntrypointListing,
            parameters=parameters(ref=ref, path=path),
        )

    async def whoami(self) -> WhoAmI:
        """Return who calls, and what they may do where. Raises `UnauthenticatedError`."""
        return await self._place.connection.get("/v1/auth/session", WhoAmI)

    async def close(self) -> None:
        """Close the connections."""
        await self._place.connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
