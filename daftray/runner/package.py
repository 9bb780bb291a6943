"""Makes ``daftray`` whole where the user's environment has it too."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def join_installed(path: Iterable[str]) -> None:
    """Let ``import daftray.client`` find an installed daftray, though ``daftray`` itself is the run's own.

    The run brings ``daftray`` and ``daftray.runner`` only. As ``pkgutil.extend_path``, without its import.
    """
    package = sys.modules["daftray"]
    for folder in path:
        candidate = os.path.join(os.path.abspath(folder), "daftray")
        if candidate not in package.__path__ and os.path.isfile(os.path.join(candidate, "__init__.py")):
            package.__path__.append(candidate)
