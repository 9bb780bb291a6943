"""The entrypoint of every run's job: ``python -P -m _daftray_boot``, in the run's working directory.

It loads the runner from its own folder, whatever else is called ``daftray``, ``json`` or ``logging`` on the
way; the runner then gives ``sys.path`` back as plain Python would have it.
"""

from __future__ import annotations

import os
import sys


def _boot() -> None:
    # `sitecustomize` noted what plain Python has before anything of ours was imported, and took the user's
    # folders off the path. Without it (`python -S`, or another one first) the present is the best guess.
    plain = sys.__dict__.get("_daftray_plain")
    path, loaded = (plain.path, plain.loaded) if plain else (list(sys.path), frozenset(sys.modules))
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from daftray.runner.driver import main
    from daftray.runner.settings import RunSettings

    main(RunSettings.read(os.environ), path=path, loaded=loaded)


if __name__ == "__main__":
    _boot()
