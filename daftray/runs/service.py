"""What people do with runs. Nothing here touches Git or Ray: the reconciler does, once the answer is out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from daftray.domain.errors import InvalidInputError, RunNotFoundError
from daftray.domain.idempotency import IdempotencyKey
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock, NewRun, RunQuery, RunStore
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.domain.queue import QueuePlace
from daftray.domain.run import Run, RunEvent
from daftray.domain.spec import GitSource, RunRequest, RunSpec, Source
from daftray.domain.status import RunPhase, RunStatus
from daftray.projects.secrets import ProjectSecrets
from daftray.runs.requests import check_all, check_size, digest_of, normalised
from daftray.runs.sources import RunSources
from daftray.runs.wake import Wake


@dataclass(frozen=True, kw_only=True)
class Target:
    """The cluster that new runs go to, and how many runs it holds."""

    cluster: str
    places: int


class Runs:
    """The use cases of runs.

    ``digest_key`` keeps the digests of idempotency keys from telling of the secrets that they are made of.
    """

    def __init__(
        self,
        *,
        store: RunStore,
        sources: RunSources,
        secrets: ProjectSecrets,
        wake: Wake,
        ids: Ids,
        clock: Clock,
        target: Target,
        digest_key: bytes,
    ) -> None:
        self._store = store
        self._sources = sources
        self._secrets = secrets
        self._wake = wake
        self._ids = ids
        self._clock = clock
        self._target = target
        self._digest_key = digest_key

    async def create(
        self,
        project: Project,
        request: RunRequest,
        principal: Principal,
        *,
        rerun_of: str | None = None,
        key: str | None = None,
    ) -> Run:
        """Make a run; it is in the database when this returns.

        With an idempotency key that was used for the same before, return the run that was made then.

        Raises:
            InvalidInputError: with every issue of the request, or one of its kinds.
            IdempotencyConflictError: the key was used for another request.
        """
        (run_id,) = await self._create(project, [request], principal, key=key, rerun_of=rerun_of)
        return await self.get(project, run_id)

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
        return list(await self._create(project, requests, principal, key=key))

    async def _create(
        self,
        project: Project,
        requests: Sequence[RunRequest],
        principal: Principal,
        *,
        key: str | None,
        rerun_of: str | None = None,
    ) -> tuple[str, ...]:
        named = None if key is None else self._named(project, key, requests, rerun_of)
        if named is not None and (earlier := await self._store.added_under(named)) is not None:
            return earlier
        check_all(requests)
        new = [await self._new(project, request, principal, rerun_of) for request in requests]
        ids = await self._store.add(*new, key=named)
        for run_id in ids:
            self._wake.run(run_id)
        return ids

    def _named(
        self, project: Project, key: str, requests: Sequence[RunRequest], rerun_of: str | None
    ) -> IdempotencyKey:
        digest = digest_of(requests, rerun_of, self._digest_key)
        return IdempotencyKey(project=project.id, key=key, digest=digest)

    async def _new(
        self, project: Project, request: RunRequest, principal: Principal, rerun_of: str | None
    ) -> NewRun:
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
            rerun_of=rerun_of,
            created_by=principal.id,
            created_at=now,
        )
        created = RunEvent(
            at=now, from_=RunStatus.PENDING, to=RunStatus.PENDING, phase=RunPhase.PINNING, detail="created"
        )
        return NewRun(run=run, event=created, secrets=tuple(secrets))

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
        """
        before = await self.get(project, run_id)
        own = await self._secrets.own_of_run(before.id)
        body: dict[str, Any] = {
            **{name: getattr(before, name) for name in RunSpec.__struct_fields__},
            "source": _pinned(before),
            "secrets": own,
        }
        merged = {**msgspec.to_builtins(body), **overrides}
        try:
            merged["secrets"] = {**own, **msgspec.convert(overrides.get("secrets") or {}, dict[str, Any])}
            request = msgspec.convert(merged, RunRequest)
        except msgspec.ValidationError as exc:
            raise InvalidInputError(f"The run cannot be created as asked: {exc}") from exc
        return await self.create(project, request, principal, rerun_of=before.id, key=key)

    async def _with_position(self, run: Run) -> Run:
        if run.phase is not RunPhase.QUEUED:
            return run
        place = await self._store.queue_place(run)
        waiting_for = _of_place(run, place, self._target.places, self._clock.now())
        return msgspec.structs.replace(run, waiting_for=waiting_for)


def _of_place(run: Run, place: QueuePlace, places: int, now: datetime) -> str:
    """Say what a queued run waits for, and how long its queue is."""
    if run.not_before is not None and run.not_before > now:
        return f"its next attempt, which may start at {run.not_before:%Y-%m-%d %H:%M:%S} UTC"
    if place.before == 0 and place.taken < places:
        return (
            f"room: {place.taken} of {places} places on the cluster are taken, but its project may have no "
            "more of them, or the head's memory holds no more runs"
        )
    return (
        f"a place on the cluster: {place.taken} of {places} are taken; runs of its project before it: "
        f"{place.before}; runs that wait in all: {place.waiting}"
    )


def _pinned(run: Run) -> Source:
    """Return the source of a run with the commit that it ran, wherever its branch is now."""
    git = run.source.git
    if git is None or run.commit is None:
        return run.source
    return Source(git=GitSource(remote=git.remote, hash=run.commit, bundle=git.bundle, patch=git.patch))
