"""Opens a remote: its host's addresses are checked, and its credential is laid where Git finds it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from daftray.adapters.gitrepo import addresses, credentials
from daftray.adapters.gitrepo.commands import GitCommands
from daftray.adapters.gitrepo.place import Place
from daftray.adapters.gitrepo.remote_refs import RemoteAccess


@contextmanager
def open_remote(place: Place, git: GitCommands, *, secrets: Path) -> Generator[RemoteAccess]:
    """Give access to a place's remote for a while. ``secrets`` is the folder of what opens remotes.

    Raises:
        SourceError: the remote may not be used, or its host is not known.
    """
    remote, found = place.remote, ()
    if not place.allow_local:
        found = addresses.resolve(remote.host, scheme=remote.transport)
    with credentials.access(remote, place.credential, root=secrets, addresses=found) as environment:
        yield RemoteAccess(
            git=git,
            remote=remote,
            environment=environment,
            addresses=found,
            credential=place.credential,
        )
