"""Project, trigger, task, labels and end of a run, each as one trigram: one index finds them with a text.

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
    return "".join((code_of(run.project), *_facts(run.project, run.trigger, run.task, run.labels)))


def of_query(query: RunQuery) -> list[str]:
    """Return the codes of the runs that a query wants."""
    facts = _facts(query.project, query.trigger, query.task, query.labels)
    ended = [code for status, code in _ENDED.items() if status is query.status]
    return [*(facts or [code_of(query.project)]), *ended]


def of_label(project: str, key: str, value: str) -> str:
    """Return the code of a label, which is another one in each project; a trigger is that of no key."""
    return code_of(f"{project}\n{key}={value}")


def code_of(fact: str) -> str:
    """Return a fact's code."""
    number = zlib.crc32(fact.encode())
    return "".join(chr(_FIRST + (number >> _BITS * place) % (1 << _BITS)) for place in range(3))


def _facts(project: str, trigger: str | None, task: str | None, labels: Mapping[str, str]) -> list[str]:
    of_trigger = [] if trigger is None else [of_label(project, "", trigger)]
    of_task = [] if task is None else [code_of(f"{project}\n\n{task}")]
    return of_trigger + of_task + [of_label(project, key, value) for key, value in sorted(labels.items())]
