"""Master keys over time: a server holds its database's, and what older ones sealed moves to the new one."""

from __future__ import annotations

import msgspec

from daftray.domain.errors import DaftrayError, SecretUnreadableError
from daftray.domain.ports import Clock, MasterKeyStore, SecretStore, Vault
from daftray.domain.project import SealedSecret

BATCH = 200
"""Secrets that are read at a time."""
_OWNER, _KNOWN = "daftray", "the quick brown fox"


class MasterKeyMismatchError(DaftrayError):
    """This server's master key is not that of its database."""

    code = "master-key-mismatch"


class Rotated(msgspec.Struct, frozen=True, kw_only=True):
    """What a rotation did. ``left`` counts what is still sealed under other keys, by key id."""

    key_id: str
    """The key that everything is to be sealed under."""
    resealed: int
    left: dict[str, int]
    unreadable: dict[str, int]
    """Of those left, what no key of this server opens."""


class MasterKeys:
    """The use cases of whoever runs the server."""

    def __init__(self, *, records: MasterKeyStore, secrets: SecretStore, vault: Vault, clock: Clock) -> None:
        self._records = records
        self._secrets = secrets
        self._vault = vault
        self._clock = clock

    async def check(self) -> None:
        """Make sure that this server has the keys that the database's secrets are sealed under.

        The first server of a database enters its key; later ones are held to it.

        Raises:
            MasterKeyMismatchError: it lacks one.
        """
        ours = self._vault.key_ids
        if not await self._records.list():
            sealed = await self._secrets.counts()
            if sealed and not sealed.keys() & set(ours):
                raise self._mismatch(sorted(sealed))
        records = await self._records.enter(self._proof(), known=ours)
        lacking = [record.key_id for record in records if record.key_id not in ours]
        if lacking:
            raise self._mismatch(lacking)
        for record in records:
            self._prove(record)

    async def rotate(self, *, dry_run: bool = False) -> Rotated:
        """Seal everything under the first key. What was done stays done, however this ends; call it again.

        Servers may go on meanwhile: a secret that is set now is left as it is.
        """
        first = self._vault.key_ids[0]
        resealed = 0 if dry_run else await self._reseal(first)
        left = {key: count for key, count in (await self._secrets.counts()).items() if key != first}
        if not dry_run:
            await self._settle(first, left)
        unreadable = {key: count for key, count in left.items() if key not in self._vault.key_ids}
        return Rotated(key_id=first, resealed=resealed, left=left, unreadable=unreadable)

    async def give_up(self, key_id: str) -> bool:
        """Let servers start without a key that is lost; say whether one was known by that id.

        What it sealed stays closed until it is set again.
        """
        return await self._records.remove(key_id)

    async def _reseal(self, first: str) -> int:
        after, done = ("", ""), 0
        while batch := await self._secrets.not_under(first, after=after, limit=BATCH):
            for secret in batch:
                done += await self._moved(secret)
            after = (batch[-1].owner, batch[-1].name)
        return done

    async def _moved(self, secret: SealedSecret) -> bool:
        try:
            value = self._vault.open(secret)
        except SecretUnreadableError:
            return False
        sealed = self._vault.seal(owner=secret.owner, name=secret.name, value=value, at=secret.updated_at)
        return await self._secrets.reseal(secret, sealed)

    async def _settle(self, first: str, left: dict[str, int]) -> None:
        """Note the new key, and let servers start without those that seal nothing any more."""
        records = await self._records.enter(self._proof(), known=self._vault.key_ids)
        for record in records:
            if record.key_id != first and record.key_id in self._vault.key_ids and record.key_id not in left:
                await self._records.remove(record.key_id)

    def _proof(self) -> SealedSecret:
        name = self._vault.key_ids[0]
        return self._vault.seal(owner=_OWNER, name=name, value=_KNOWN, at=self._clock.now())

    def _prove(self, record: SealedSecret) -> None:
        try:
            proven = self._vault.open(record) == _KNOWN
        except SecretUnreadableError:
            proven = False
        if not proven:
            raise self._mismatch([record.key_id])

    def _mismatch(self, lacking: list[str]) -> MasterKeyMismatchError:
        return MasterKeyMismatchError(
            f"The secrets in this database are sealed under master key {', '.join(lacking)}, which this "
            f"server does not have; it has {', '.join(self._vault.key_ids)}. Give it the DAFTRAY_MASTER_KEY "
            "(or the file) of the servers that used this database before. If that key is lost: "
            f"`daftray admin rotate-keys --lost {lacking[0]}`, and set the secrets again."
        )
