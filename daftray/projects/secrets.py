"""Secrets: write-only for people, readable by the runs of their project."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.ports import Clock, SecretStore, Vault
from daftray.domain.project import SealedSecret, Secret
from daftray.domain.run import Run
from daftray.runtime_env.submission import RESERVED_VARIABLES

SHORTEST_VALUE = 4
"""Characters. A shorter value cannot be masked in a log without blotting out the log itself."""
LONGEST_VALUE = 64 * 1024
LARGEST_TOTAL = 512 * 1024
"""Bytes of all secrets of one owner, sealed. They become a process's environment, with which Linux starts no
child beyond some 2 MiB, and each of them is looked for in every piece of the log."""


class ProjectSecrets:
    """The use cases of secrets. An owner is a project's id, or a run's for the secrets of that run."""

    def __init__(self, *, store: SecretStore, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    async def set(self, project_id: str, name: str, value: str) -> Secret:
        """Keep a secret, in place of an older one of that name. Raises `InvalidInputError`."""
        sealed = self.seal(project_id, {name: value})[0]
        known = {one.name: one for one in await self._store.list(project_id)}
        first = known.pop(name, sealed)
        _check_total([*known.values(), sealed])
        await self._store.put(sealed)
        return Secret(name=name, created_at=first.created_at, updated_at=sealed.updated_at)

    async def list(self, project_id: str) -> list[Secret]:
        """Return names and dates."""
        return [
            Secret(name=secret.name, created_at=secret.created_at, updated_at=secret.updated_at)
            for secret in await self._store.list(project_id)
        ]

    async def delete(self, project_id: str, name: str) -> None:
        """Remove a secret. Raises `SecretNotFoundError`."""
        await self._store.delete(project_id, name)

    def seal(self, owner: str, values: Mapping[str, str]) -> list[SealedSecret]:
        """Return values in the form in which they are kept. Raises `InvalidInputError`."""
        issues = [
            InputIssue(path=f"secrets.{name}", message=advice)
            for name, value in values.items()
            if (advice := _advice(name, value))
        ]
        if issues:
            raise InvalidInputError("A secret cannot be kept as it is.", issues=tuple(issues))
        now = self._clock.now()
        sealed = [
            self._vault.seal(owner=owner, name=name, value=value, at=now) for name, value in values.items()
        ]
        _check_total(sealed)
        return sealed

    async def of_project(self, project_id: str) -> dict[str, str]:
        """Return a project's secrets in the clear."""
        return {secret.name: self._vault.open(secret) for secret in await self._store.list(project_id)}

    async def own_of_run(self, run_id: str) -> dict[str, str]:
        """Return the secrets that were given with a run."""
        return await self.of_project(run_id)

    async def of_run(self, run: Run) -> dict[str, str]:
        """Return what a run's processes get: its project's secrets, and its own on top."""
        shared, own = await asyncio.gather(self.of_project(run.project), self.own_of_run(run.id))
        return {**shared, **own}


def _check_total(sealed: Sequence[SealedSecret]) -> None:
    total = sum(len(one.name) + len(one.ciphertext) for one in sealed)
    if total > LARGEST_TOTAL:
        raise InvalidInputError(
            f"The secrets together are {total >> 10} KiB; at most {LARGEST_TOTAL >> 10} KiB are kept: remove "
            "some, or keep larger data in your object store."
        )


def _advice(name: str, value: str) -> str | None:
    """Return what to do about a secret that cannot be kept."""
    if name in RESERVED_VARIABLES:
        return "daftray sets this variable itself: choose another name"
    if "\0" in value:
        return "no environment variable can hold a NUL character: encode the value, by base64 for instance"
    if len(value) < SHORTEST_VALUE:
        return (
            f"a value of fewer than {SHORTEST_VALUE} characters cannot be masked in logs: "
            "use an environment variable"
        )
    if len(value) <= LONGEST_VALUE:
        return None
    return f"at most {LONGEST_VALUE} characters are kept: put larger data into your object store"
