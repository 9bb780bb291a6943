"""What people do with runs. Nothing here touches Git or Ray: the reconciler does, once the answer is out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from daftray.domain.errors import InputIssue, InvalidInputError, RunNotFoundError
from daftray.domain.idempotency import IdempotencyKey
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock, NewRun, PriceStore, RunQuery, RunStore
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.domain.run import Run, RunEvent
from daftray.domain.spec import RunRequest, RunSpec
from daftray.domain.status import RunPhase, RunStatus
from daftray.projects.secrets import ProjectSecrets
from daftray.runs.admission import waits_for
from daftray.runs.requests import (
    Origin,
    check,
    check_all,
    check_size,
    digest_of,
    issues_at,
    normalised,
    overridden,
    refuse,
)
from daftray.runs.sources import RunSources, pinned
from daftray.runs.wake import Wake


@dataclass(frozen=True, kw_only=True)
class Target:
    """The cluster that new runs go to, and how many runs it holds."""

    cluster: str
    places: int


class Runs:
    """The use cases of runs.

    ``digest_keys`` keep the digests of idempotency keys from telling of the secrets that they are made of:
    ids and keys, the first for new digests.
    """

    def __init__(  # noqa: PLR0913 (each is a collaborator)
        self,
        *,
        store: RunStore,
        sources: RunSources,
        secrets: ProjectSecrets,
        wake: Wake,
        ids: Ids,
        clock: Clock,
        target: Target,
        digest_keys: Sequence[tuple[str, bytes]],
        prices: PriceStore,
    ) -> None:
        self._store = store
        self._sources = sources
        self._secrets = secrets
        self._wake = wake
        self._ids = ids
        self._clock = clock
        self._target = target
        self._digest_keys = digest_keys
        self._prices = prices

    async def create(
        self,
        project: Project,
        request: RunRequest,
        principal: Principal,
        *,
        key: str | None = None,
        asked: object = None,
        origin: Origin | None = None,
    ) -> Run:
        """Make a run; it is in the database when this returns.

        With an idempotency key that was used for the same before, return the run that was made then. What is
        the same is said by ``asked`` where the request follows from something that may change meanwhile.

        Raises:
            InvalidInputError: with every issue of the request, or one of its kinds.
            IdempotencyConflictError: the key was used for another request.
        """
        named = self._named(project, key, [None, [request]] if asked is None else asked)
        return await self._create(project, request, principal, named, origin or Origin())

    async def create_all(
        self,
        project: Project,
        requests: Sequence[RunRequest],
        principal: Principal,
        *,
        key: str | None = None,
    ) -> list[str]:
        """Make all the runs or, where one of them is not valid, none; return their ids in the same order.

        Raises:
            InvalidInputError: with every issue of every request, at paths that begin with ``runs[…]``.
            IdempotencyConflictError: the key was used for other requests.
        """
        named = self._named(project, key, [None, requests])
        if (earlier := await self._made_under(named)) is not None:
            return list(earlier)
        check_all(requests)
        new: list[NewRun] = []
        issues: list[InputIssue] = []
        for number, request in enumerate(requests):
            try:
                new.append(await self._new(project, request, principal, Origin()))
            except InvalidInputError as exc:
                issues += issues_at(number, exc)
        refuse(issues)
        return list(await self._add(new, named))

    async def _create(
        self,
        project: Project,
        request: RunRequest,
        principal: Principal,
        named: IdempotencyKey | None,
        origin: Origin,
    ) -> Run:
        ids = await self._made_under(named)
        if ids is None:
            check(request)
            ids = await self._add([await self._new(project, request, principal, origin)], named)
        return await self.get(project, ids[0])

    async def _add(self, new: Sequence[NewRun], named: IdempotencyKey | None) -> tuple[str, ...]:
        ids = await self._store.add(*new, key=named)
        for run_id in ids:
            self._wake.run(run_id)
        return ids

    async def _made_under(self, named: IdempotencyKey | None) -> tuple[str, ...] | None:
        return None if named is None else await self._store.added_under(named)

    def _named(self, project: Project, key: str | None, asked: object) -> IdempotencyKey | None:
        """Return a key with a digest of what was asked under it."""
        if key is None:
            return None
        digest, *older = (digest_of(asked, secret) for _, secret in self._digest_keys)
        return IdempotencyKey(project=project.id, key=key, digest=digest, older=tuple(older))

    async def _new(
        self, project: Project, request: RunRequest, principal: Principal, origin: Origin
    ) -> NewRun:
        await self._check_budget(project, request)
        now = self._clock.now()
        run_id = self._ids.new("run", now)
        secrets = self._secrets.seal(run_id, request.secrets or {})
        spec = {name: getattr(request, name) for name in RunSpec.__struct_fields__}
        spec["source"] = await self._sources.accept(project, request.source)
        spec["environment"] = normalised(request.environment)
        check_size(spec)
        run = Run(
            **spec,
            id=run_id,
            project=project.id,
            phase_since=now,
            secret_names=tuple(sorted(request.secrets or {})),
            cluster=self._target.cluster,
            trigger=origin.trigger,
            task=origin.task,
            rerun_of=origin.rerun_of,
            created_by=principal.id,
            created_at=now,
        )
        created = RunEvent(
            at=now, from_=RunStatus.PENDING, to=RunStatus.PENDING, phase=RunPhase.PINNING, detail="created"
        )
        return NewRun(run=run, event=created, secrets=tuple(secrets))

    async def _check_budget(self, project: Project, request: RunRequest) -> None:
        """Refuse a budget in dollars that nothing would be counted in. Raises `InvalidInputError`."""
        in_dollars = request.budget is not None and request.budget.usd is not None
        if in_dollars and await self._prices.latest(project.id) is None:
            message = "the project has no prices, so no dollar would be counted: set them first"
            refuse([InputIssue(path="budget.usd", message=message)])

    async def get(self, project: Project, run_id: str) -> Run:
        """Return a run of a project. Raises `RunNotFoundError`, alike for another project's and for none."""
        try:
            run = await self._store.get(run_id)
        except RunNotFoundError as exc:
            raise RunNotFoundError from exc
        if run.project != project.id:
            raise RunNotFoundError
        return await self._with_position(run)

    async def list(self, query: RunQuery) -> list[Run]:
        """Return runs, newest first."""
        return await self._store.list(query)

    async def latest(self, project: Project, tasks: Sequence[str], *, each: int) -> dict[str, list[Run]]:
        """Return the newest runs of each of some tasks, at most ``each``, by the tasks' ids."""
        return await self._store.latest_of_tasks(project.id, tasks, each=each)

    async def events(self, project: Project, run_id: str) -> list[RunEvent]:
        """Return a run's history, oldest first. Raises `RunNotFoundError`."""
        await self.get(project, run_id)
        return await self._store.events(run_id)

    async def cancel(self, project: Project, run_id: str) -> Run:
        """Ask for a run's end; one that ended, or was asked before, is fine. Raises `RunNotFoundError`."""
        await self.get(project, run_id)
        run = await self._store.request_cancel(run_id)
        self._wake.run(run_id)
        return run

    async def rerun(
        self,
        project: Project,
        run_id: str,
        overrides: dict[str, Any],
        principal: Principal,
        *,
        key: str | None = None,
    ) -> Run:
        """Make a new run of the same commit and secrets, with the top-level fields that are overridden.

        Raises:
            RunNotFoundError: there is no such run.
            InvalidInputError: the run does not fit together with the overrides.
            IdempotencyConflictError: the key was used for another request.
        """
        # Not of the whole request: what a run is made of changes once its ref is pinned.
        named = self._named(project, key, [run_id, overrides])
        before = await self.get(project, run_id)
        own = await self._secrets.own_of_run(before.id)
        request = overridden(before, overrides, source=pinned(before), secrets=own)
        origin = Origin(task=before.task, rerun_of=before.id)
        return await self._create(project, request, principal, named, origin)

    async def _with_position(self, run: Run) -> Run:
        if run.phase is not RunPhase.QUEUED:
            return run
        place = await self._store.queue_place(run)
        why = waits_for(run, place, self._target.places, self._clock.now())
        return msgspec.structs.replace(run, waiting_for=why)
