"""What people do with runs. Nothing here touches Git or Ray: the reconciler does, once the answer is out."""

from __future__ import annotations

from typing import Any

import msgspec

from daftray.domain.errors import InputIssue, InvalidInputError, RunNotFoundError
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock, RunQuery, RunStore
from daftray.domain.principal import Principal
from daftray.domain.project import Project
from daftray.domain.run import Run, RunEvent
from daftray.domain.spec import Environment, GitSource, RunRequest, RunSpec, Source
from daftray.domain.status import RunPhase, RunStatus
from daftray.projects.secrets import ProjectSecrets
from daftray.runs.sources import RunSources, check_entrypoint
from daftray.runs.wake import Wake
from daftray.runtime_env import dependencies, python_version
from daftray.runtime_env.submission import RESERVED_VARIABLES

LARGEST_SPEC = 512 * 1024
"""Bytes of a run as it was asked for, in JSON, without bundle, patch and secrets."""


class Runs:
    """The use cases of runs. ``cluster`` is the name of the cluster that new runs go to."""

    def __init__(
        self,
        *,
        store: RunStore,
        sources: RunSources,
        secrets: ProjectSecrets,
        wake: Wake,
        ids: Ids,
        clock: Clock,
        cluster: str,
    ) -> None:
        self._store = store
        self._sources = sources
        self._secrets = secrets
        self._wake = wake
        self._ids = ids
        self._clock = clock
        self._cluster = cluster

    async def create(
        self, project: Project, request: RunRequest, principal: Principal, *, rerun_of: str | None = None
    ) -> Run:
        """Make a run; it is in the database when this returns.

        Raises:
            InvalidInputError: with every issue of the request, or one of its kinds.
        """
        request.check()
        _refuse(check_entrypoint(request.entrypoint) + _check_environment(request.environment))
        now = self._clock.now()
        run_id = self._ids.new("run", now)
        secrets = self._secrets.seal(run_id, request.secrets or {})
        spec = {name: getattr(request, name) for name in RunSpec.__struct_fields__}
        spec["source"] = await self._sources.accept(project, request.source)
        spec["environment"] = _normalised(request.environment)
        _check_size(spec)
        run = Run(
            **spec,
            id=run_id,
            project=project.id,
            phase_since=now,
            secret_names=tuple(sorted(request.secrets or {})),
            cluster=self._cluster,
            rerun_of=rerun_of,
            created_by=principal.id,
            created_at=now,
        )
        created = RunEvent(
            at=now, from_=RunStatus.PENDING, to=RunStatus.PENDING, phase=RunPhase.PINNING, detail="created"
        )
        await self._store.add(run, created, secrets=secrets)
        self._wake.run(run_id)
        return run

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
        run = await self._store.request_cancel(run_id, self._clock.now())
        self._wake.run(run_id)
        return run

    async def rerun(
        self, project: Project, run_id: str, overrides: dict[str, Any], principal: Principal
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
        return await self.create(project, request, principal, rerun_of=before.id)

    async def _with_position(self, run: Run) -> Run:
        if run.phase is not RunPhase.QUEUED:
            return run
        before = await self._store.queue_position(run)
        return msgspec.structs.replace(run, waiting_for=f"a place on the cluster; runs before it: {before}")


def _pinned(run: Run) -> Source:
    """Return the source of a run with the commit that it ran, wherever its branch is now."""
    git = run.source.git
    if git is None or run.commit is None:
        return run.source
    return Source(git=GitSource(remote=git.remote, hash=run.commit, bundle=git.bundle, patch=git.patch))


def _check_environment(environment: Environment) -> list[InputIssue]:
    python_version.parse(environment.python_version)
    issues: list[InputIssue] = []
    for name, value in (environment.environment_variables or {}).items():
        path = f"environment.environment_variables.{name}"
        if name in RESERVED_VARIABLES:
            message = "daftray sets this variable itself: choose another name"
            issues.append(InputIssue(path=path, message=message))
        elif "\0" in value:  # no process would start with it, and Ray would not say why
            message = "no environment variable can hold a NUL character: encode the value"
            issues.append(InputIssue(path=path, message=message))
    return issues


def _check_size(spec: dict[str, Any]) -> None:
    """Refuse a run that would make every list of runs large. What it brought along is not in it any more."""
    if (size := len(msgspec.json.encode(spec))) > LARGEST_SPEC:
        raise InvalidInputError(
            f"The run's arguments, variables, labels and dependencies are {size >> 10} KiB together; at most "
            f"{LARGEST_SPEC >> 10} KiB are kept: put larger data into your object store and name it."
        )


def _normalised(environment: Environment) -> Environment:
    return msgspec.structs.replace(environment, dependencies=dependencies.normalise(environment.dependencies))


def _refuse(issues: list[InputIssue]) -> None:
    if issues:
        raise InvalidInputError("The run cannot be created as asked.", issues=tuple(issues))
