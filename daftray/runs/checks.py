"""Checks: runs that open a data source or a catalog on the cluster and tell what is there.

A check is an ordinary run, of a function that the runner itself brings and that any run of the project could
call just as well (`daftray/runner/connections/check.py`). It has no source: the project's remote is not
asked, so it works, too, where that cannot be reached or has nothing in it yet.
"""

from __future__ import annotations

from daftray.domain.connection import CheckRequest, Connection
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock, NewRun, RunStore
from daftray.domain.principal import Principal
from daftray.domain.run import Run, RunEvent
from daftray.domain.spec import Entrypoint, FunctionEntrypoint, RunRequest, Source
from daftray.domain.status import RunPhase, RunStatus
from daftray.domain.trigger import CHECK
from daftray.runs.requests import check, normalised
from daftray.runs.wake import Wake

MODULE = "daftray.runner.connections.check"
TIMEOUT_S = 300.0
"""Seconds after which a check ends that names no other time: a storage that does not answer is a finding."""


class Checks:
    """The use case of a check."""

    def __init__(self, *, store: RunStore, wake: Wake, ids: Ids, clock: Clock, cluster: str) -> None:
        self._store = store
        self._wake = wake
        self._ids = ids
        self._clock = clock
        self._cluster = cluster

    async def start(self, connection: Connection, request: CheckRequest, principal: Principal) -> Run:
        """Make the run of a check. Raises `InvalidInputError`, or one of its kinds."""
        entrypoint = FunctionEntrypoint(
            module=MODULE, symbol=connection.sort.value, kwargs={"name": connection.id}
        )
        asked = RunRequest(
            entrypoint=Entrypoint(function=entrypoint),
            environment=request.environment,
            timeout_s=request.timeout_s or TIMEOUT_S,
        )
        check(asked)
        now = self._clock.now()
        run = Run(
            entrypoint=asked.entrypoint,
            source=Source(),
            environment=normalised(asked.environment),
            name=f"check {connection.name}",
            runner="native",
            timeout_s=asked.timeout_s,
            id=self._ids.new("run", now),
            project=connection.project,
            phase_since=now,
            cluster=self._cluster,
            trigger=CHECK,
            created_by=principal.id,
            created_at=now,
        )
        created = RunEvent(
            at=now, from_=RunStatus.PENDING, to=RunStatus.PENDING, phase=RunPhase.PINNING, detail="created"
        )
        await self._store.add(NewRun(run=run, event=created), key=None)
        self._wake.run(run.id)
        return run
