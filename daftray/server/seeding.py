"""A database full of made-up runs, for measurements: what ``daftray admin seed`` makes."""

from __future__ import annotations

from collections.abc import Callable

from daftray.adapters.db import seeding
from daftray.adapters.db.database import Database
from daftray.server.data_dir import DataDir
from daftray.server.settings import ServerSettings


async def seed(settings: ServerSettings, runs: int, *, tell: Callable[[int], None]) -> None:
    """Fill the database that a server with these settings would use; ``tell`` hears how many runs it has.

    Raises:
        DataDirBusyError: a server has the data folder.
        ConflictError: the database has runs that were not made up.
        DaftrayError: the database cannot be had; it says why.
    """
    with DataDir(settings.data_dir).owned():
        database = Database(settings.database)
        try:
            await database.open()
            await database.migrate()
            await seeding.seed(database, runs, tell=tell)
        finally:
            await database.close()
