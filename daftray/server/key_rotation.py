"""What ``daftray admin rotate-keys`` does, beside the servers that go on."""

from __future__ import annotations

from daftray.adapters.db.database import Database
from daftray.adapters.db.master_keys import SqlMasterKeyStore
from daftray.adapters.db.secrets import SqlSecretStore
from daftray.adapters.vault.aesgcm import AesGcmVault
from daftray.domain.errors import InvalidInputError
from daftray.projects.master_keys import MasterKeys, Rotated
from daftray.server.clock import DatabaseClock
from daftray.server.data_dir import DataDir
from daftray.server.key_sources import key_ring
from daftray.server.settings import ServerSettings


def master_keys(database: Database, vault: AesGcmVault) -> MasterKeys:
    """Wire the use cases of master keys."""
    return MasterKeys(
        records=SqlMasterKeyStore(database),
        secrets=SqlSecretStore(database),
        vault=vault,
        clock=DatabaseClock(database.time),
    )


async def rotate(settings: ServerSettings, *, dry_run: bool, new_key: bool, lost: str | None) -> Rotated:
    """Seal everything in the servers' database under the first master key.

    Args:
        settings: those of the servers.
        dry_run: only count.
        new_key: first put a new key at the head of the data folder's own file.
        lost: a key's id without which servers are to start from now on.

    Raises:
        MasterKeyError: the keys cannot be had.
        InvalidInputError: there is no such key, or the keys are not in the data folder.
        DaftrayError: the database cannot be had; it says why.
    """
    folder = DataDir(settings.data_dir)
    if new_key and (settings.master_key or settings.master_key_file or settings.master_key_command):
        raise InvalidInputError(
            "The master keys are not in the data folder: put the new one before the others where they are."
        )
    ring = key_ring(settings, folder, make=False)
    if new_key and not dry_run:
        folder.add_master_key()
    database = Database(settings.database)
    try:
        await database.open()
        await database.migrate()
        keys = master_keys(database, AesGcmVault(ring))
        if lost and not dry_run and not await keys.give_up(lost):
            raise InvalidInputError(f"This database knows no master key {lost}.")
        return await keys.rotate(dry_run=dry_run)
    finally:
        await database.close()
