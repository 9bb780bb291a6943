"""Project, trigger, labels and end of a run, each as one trigram, so that one index finds them with a text.

A code is a hash: what the index finds by it still has to be looked at. Its three characters are of Unicode's
private use, which names and paths do not hold. The database adds the code of a terminal status itself.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from daftray.domain.ports import RunQuery
from daftray.domain.run import Run
from daftray.domain.status import RunStatus

_FIRST = 0xE000
_BITS = 10
_ENDED = {
    RunStatus.SUCCEEDED: "\ue400\ue401\ue401",
    RunStatus.FAILED: "\ue400\ue401\ue402",
    RunStatus.CANCELLED: "\ue400\ue401\ue403",
}
"""No code of another kind has these characters."""


def of_run(run: Run) -> str:
    """Return the codes of what never changes of a run, one after the other."""
    return "".join((code_of(run.project), *_of_all({"": run.trigger}), *_of_all(run.labels)))


def of_query(query: RunQuery) -> list[str]:
    """Return the codes of the runs that a query wants."""
    trigger = {} if query.trigger is None else {"": query.trigger}
    ended = [code for status, code in _ENDED.items() if status is query.status]
    return [code_of(query.project), *_of_all(trigger), *_of_all(query.labels), *ended]


def code_of(fact: str) -> str:
    """Return a fact's code."""
    number = zlib.crc32(fact.encode())
    return "".join(chr(_FIRST + (number >> _BITS * place) % (1 << _BITS)) for place in range(3))


def _of_all(pairs: Mapping[str, str]) -> list[str]:
    return [code_of(f"{key}={value}") for key, value in sorted(pairs.items())]
