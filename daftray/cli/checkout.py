"""The Git repository that a command is typed in."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol


class Checkout(Protocol):
    """A working tree, as far as the command line looks at it."""

    @property
    def root(self) -> Path:
        """The folder that holds it all."""
        ...

    @property
    def remote(self) -> str | None:
        """The remote that the branch follows, if it follows one."""
        ...

    @property
    def branch(self) -> str | None:
        """The branch that is checked out, if one is."""
        ...

    @property
    def head(self) -> str:
        """The full hash of the commit that is checked out."""
        ...

    def is_head_on_remote(self) -> bool:
        """Tell whether the remote has that commit."""
        ...

    def bundle(self) -> bytes:
        """Return a ``git bundle`` of the commits that the remote lacks."""
        ...

    def patch(self) -> bytes:
        """Return what the disk has beyond the commit, untracked files included; nothing where it is clean."""
        ...


def open_checkout(folder: Path) -> Checkout | None:
    """Return the repository that a folder is in, if it is in one."""
    adapter: Any = import_module("daftray.adapters.gitrepo.checkout")
    return adapter.open_checkout(folder)
