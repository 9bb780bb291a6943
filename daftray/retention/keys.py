"""Which blobs are whose: the keys that other parts of daftray make, read the other way."""

from __future__ import annotations

import re

from daftray.domain.retention import Kept, Kind
from daftray.logs.chunks import sealed_key
from daftray.metrics.outcomes import result_key

RUNS = "runs/"
PROJECTS = "projects/"

_OF_RUN = re.compile(r"runs/([^/]+)/.+")
_SOURCE = re.compile(r"projects/([^/]+)/sources/([0-9a-f]{64})")


def blobs_of(kind: Kind, kept: Kept) -> str:
    """Return the key of a result, or the prefix of all keys of a log."""
    if kind == "results":
        return result_key(kept.run, kept.attempt)
    return sealed_key(kept.run, kept.attempt, 0).rpartition("/")[0] + "/"


def blobs_of_run(run_id: str) -> str:
    """Return the prefix of all that is kept of a run."""
    return f"{RUNS}{run_id}/"


def run_of(key: str) -> str | None:
    """Return the run that a blob is of."""
    found = _OF_RUN.fullmatch(key)
    return found[1] if found else None


def source_of(key: str) -> tuple[str, str] | None:
    """Return the project and the digest of something that a run brought along."""
    found = _SOURCE.fullmatch(key)
    return (found[1], found[2]) if found else None
