# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""The client: one server, one workspace, and usually one project."""

from __future__ import annotations

from types import TracebackType
from typing import Self, overload

import httpx

from daftray.client._sync.admin import Admin
from daftray.client._sync.api_keys import ApiKeys
from daftray.client._sync.audit import Audit
from daftray.client._sync.catalogs import Catalogs
from daftray.client._sync.connection import Connection
from daftray.client._sync.data_sources import DataSources
from daftray.client._sync.integrations import Integrations
from daftray.client._sync.members import Members
from daftray.client._sync.place import Place
from daftray.client._sync.prices import Prices
from daftray.client._sync.projects import Projects
from daftray.client._sync.runs import Runs
from daftray.client._sync.secrets import Secrets
from daftray.client._sync.tasks import Tasks
from daftray.client._sync.users import Users
from daftray.client._sync.workspaces import Workspaces
from daftray.client.answers import Retry
from daftray.client.asked import parameters
from daftray.client.profile import Wanted, find_address
from daftray.client.sign_in_answers import WhoAmI
from daftray.domain.signature import EntrypointListing, SourceListing

DEFAULT_TIMEOUT_S = 30.0


class Client:
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
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        wanted = Wanted(
            base_url=base_url, api_key=api_key, workspace=workspace, project=project, profile=profile
        )
        address = find_address(wanted)
        connection = Connection(
            address, timeout_s=timeout_s, retry=retry or Retry(), transport=transport
        )
        self._use(Place(connection, workspace=address.workspace, project=address.project))

    def _use(self, place: Place) -> None:
        self._place = place
        self.runs = Runs(place)
        self.projects = Projects(place)
        self.secrets = Secrets(place)
        self.tasks = Tasks(place)
        self.data_sources = DataSources(place)
        self.catalogs = Catalogs(place)
        self.prices = Prices(place)
        self.admin = Admin(place)
        self.users = Users(place)
        self.api_keys = ApiKeys(place)
        self.workspaces = Workspaces(place)
        self.members = Members(place)
        self.integrations = Integrations(place)
        self.audit = Audit(place)

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

    def in_project(self, project: str) -> Client:
        """Return a client of another project, over the same connections; closing either closes both."""
        client = object.__new__(Client)
        client._use(self._place.in_project(project))
        return client

    @overload
    def entrypoints(self, path: None = None, *, ref: str | None = None) -> SourceListing: ...

    @overload
    def entrypoints(self, path: str, *, ref: str | None = None) -> EntrypointListing: ...

    def entrypoints(
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
        return self._place.connection.get(
            f"{self._place.project_path}/entrypoints",
            SourceListing if path is None else EntrypointListing,
            parameters=parameters(ref=ref, path=path),
        )

    def whoami(self) -> WhoAmI:
        """Return who calls, and what they may do where. Raises `UnauthenticatedError`."""
        return self._place.connection.get("/v1/auth/session", WhoAmI)

    def close(self) -> None:
        """Close the connections."""
        self._place.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
