"""Tell whether two ways to write a Git remote mean the same repository."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from daftray.domain.project import Project

if TYPE_CHECKING:
    from daftray.adapters.gitrepo.checkout import Checkout

_SCP_LIKE = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>(?!//).+)")


def same_repository(one: str, other: str) -> bool:
    """Tell whether two remotes mean the same repository, by https, ssh or path."""
    return repository_key(one) == repository_key(other)


def is_of_checkout(project: Project, checkout: Checkout) -> bool:
    """Tell whether a project's remote is that of a working copy, or the working copy itself."""
    remote = project.source.remote.remote
    return any(
        same_repository(remote, one) for one in (checkout.remote, str(checkout.root)) if one is not None
    )


def repository_key(remote: str) -> tuple[str, str]:
    """Return host and path of a remote, without what differs between the ways to write it."""
    if "://" in remote:
        try:
            parts = urlsplit(remote)
            return (parts.hostname or "", _path(unquote(parts.path)))
        except ValueError:  # no address at all: it equals only itself
            return ("", remote)
    if found := _SCP_LIKE.fullmatch(remote):
        return (found["host"].lower(), _path(found["path"]))
    return ("", _path(remote))


def repository_name(remote: str) -> str:
    """Return the name of a remote's repository: the last part of its path."""
    return PurePosixPath(repository_key(remote)[1]).name


def without_credentials(remote: str) -> str:
    """Return a remote without the user and password that an address may hold."""
    parts = urlsplit(remote)
    if parts.scheme not in {"http", "https"} or "@" not in parts.netloc:
        return remote
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _path(path: str) -> str:
    return path.strip("/").removesuffix(".git").rstrip("/")
