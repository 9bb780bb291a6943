"""What all tests share: a clean environment, and one real Ray cluster for those that ask for it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from postgres_server import PostgresServer, postgres_server
from s3_server import S3Server, s3_server
from stores import emptied_stores, migrated_stores

from daftray.server.local_ray import LocalCluster, LocalRay

Answer = TypeVar("Answer")


def pytest_configure() -> None:
    """Take time over examples on a busy machine, and let Ctrl-C mean what it does at a terminal."""
    settings.register_profile("daftray", deadline=None)
    settings.load_profile("daftray")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's background job ignores Ctrl-C, and so would every program that the tests start.
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the developer's own daftray, Ray, database and object stores from the tests."""
    for name in list(os.environ):
        if name.startswith(("DAFTRAY_", "RAY_", "PG", "AWS_", "AZURE_", "GOOGLE_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def ray_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A real Ray cluster with four logical CPUs, started on first use. Tell tests apart by their ids."""
    ray = LocalRay(data_dir=tmp_path_factory.mktemp("ray-cluster"), keep=False, num_cpus=4)
    try:
        yield _in_a_loop(ray.start())
    finally:
        _in_a_loop(ray.stop())


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, made once: a copy is quicker than the migrations."""
    path = tmp_path_factory.mktemp("template") / "daftray.db"
    _in_a_loop(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server, started on first use."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresServer) -> str:
    """The address of a database that has daftray's tables. Tests share it, and each empties it first."""
    url = postgres.url("migrated")
    _in_a_loop(postgres.create("migrated"))
    _in_a_loop(_migrate(url))
    return url


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A server that speaks S3, started on first use."""
    with s3_server() as server:
        yield server


@pytest.fixture
def s3_url(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty place in its bucket, and the variables that open it."""
    for name, value in s3.variables.items():
        monkeypatch.setenv(name, value)
    return s3.new_url()


@pytest.fixture
def emptied_postgres(migrated_postgres: str) -> str:
    """The address of that database, with nothing in it."""
    _in_a_loop(_empty(migrated_postgres))
    return migrated_postgres


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, migrated_file: Path, tmp_path: Path) -> str:
    """The address of each kind of database in turn, with daftray's tables and nothing in them."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'daftray.db')}"
    return request.getfixturevalue("emptied_postgres")


async def _empty(url: str) -> None:
    async with emptied_stores(url):
        pass


async def _migrate(url: str) -> None:
    async with migrated_stores(url):
        pass


def _in_a_loop(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run in a thread: an asynchronous test may be what asks for the fixture, and has a loop of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
