"""The Git repository that a command is typed in. Git's library is loaded only where one is looked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daftray.adapters.gitrepo.checkout import Checkout


def open_checkout(folder: Path) -> Checkout | None:
    """Return the working copy that a folder is in, if it is in one. Raises `SourceRefusedError`."""
    from daftray.adapters.gitrepo import checkout

    return checkout.open_checkout(folder)
