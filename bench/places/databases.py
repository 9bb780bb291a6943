"""The two databases side by side, each with a data folder of its own.

PostgreSQL's programs are those of the tests, which is why ``tests`` has to be on ``PYTHONPATH``. Neither
database waits for the disk at each commit here.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from postgres_server import postgres_server


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a server keeps what it keeps: its data folder, and variables that name its database."""

    name: str
    data: Path
    variables: dict[str, str] = field(default_factory=dict[str, str])


@contextmanager
def both_databases() -> Generator[list[Place]]:
    """Give an empty place on SQLite and one on PostgreSQL; remove them at the end."""
    with tempfile.TemporaryDirectory(prefix="daftray-bench-") as folder, postgres_server() as postgres:
        asyncio.run(postgres.create("bench"))
        yield [
            Place(name="SQLite", data=Path(folder) / "sqlite"),
            Place(
                name="PostgreSQL",
                data=Path(folder) / "postgres",
                variables={"DAFTRAY_DATABASE_URL": postgres.url("bench")},
            ),
        ]
