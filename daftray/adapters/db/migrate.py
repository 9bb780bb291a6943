"""Alembic, without its command line and its configuration file."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

_SCRIPTS = "daftray.adapters.db:migrations"


def upgrade(connection: Connection, *, to: str = "head") -> None:
    """Bring a database to a version, by default the newest, inside the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.attributes["connection"] = connection
    command.upgrade(config, to)
