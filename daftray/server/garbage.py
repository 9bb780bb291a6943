"""Collections of garbage pass over what lives as long as the server."""

from __future__ import annotations

import gc


def spare_what_is_there() -> None:
    """Keep what has been made so far out of all later collections; what is garbage is collected first.

    A full collection holds every request up while it walks through all objects, and most of them are modules,
    models and routes: more than a tenth of a second, where the objects of requests take a few milliseconds.
    See https://docs.python.org/3/library/gc.html#gc.freeze.
    """
    gc.collect()
    gc.freeze()
