"""A remote as one project sees it: its address, and what opens it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from daftray.adapters.gitrepo import transport
from daftray.adapters.gitrepo.submodules import Submodule
from daftray.adapters.gitrepo.transport import Remote
from daftray.domain.errors import SourceRefusedError
from daftray.domain.ports import GitRepository


@dataclass(frozen=True, kw_only=True)
class Place:
    """A remote as one project sees it, checked. ``allow_local`` says whether addresses are left alone."""

    project: str
    remote: Remote
    credential: str | None = field(default=None, repr=False)
    allow_local: bool

    @classmethod
    def of(cls, repository: GitRepository, *, allow_local: bool) -> Place:
        """Return the place of a repository. Raises `SourceRefusedError`."""
        return cls(
            project=repository.project,
            remote=transport.parse(repository.remote, allow_local=allow_local),
            credential=repository.credential,
            allow_local=allow_local,
        )

    @property
    def name(self) -> str:
        """The mirror's name on disk, which tells nothing of the remote."""
        return hashlib.sha256(f"{self.project}\0{self.remote.url}".encode()).hexdigest()[:40]

    def of_submodule(self, module: Submodule) -> Place:
        """Return where a submodule comes from. Raises `SourceRefusedError`.

        Its URL is text of the repository, so it gets no more than the repository itself has: its credential
        only for the same host, and this machine's own paths only if the repository is one of them.
        """
        allow_local = self.allow_local and self.remote.local
        try:
            remote = transport.parse(self.remote.beside(module.url), allow_local=allow_local)
        except SourceRefusedError as exc:
            raise SourceRefusedError(f"The submodule {module.path!r} cannot be used: {exc.detail}") from exc
        same = remote.origin == self.remote.origin
        return Place(
            project=self.project,
            remote=remote,
            credential=self.credential if same else None,
            allow_local=allow_local,
        )
