"""The chaos tier: one seed in `make test`; as many as ``SEEDS`` says, and the long tests, in `make chaos`."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterator

import pytest
from chaos.book import Book
from chaos.ray_view import RayView
from postgres_server import PostgresServer

from daftray.server.local_ray import LocalCluster

BOOK = pytest.StashKey[Book]()
SHORT_SEEDS = (0,)
SEEDS = os.environ.get("SEEDS")
"""How many seeds: the long form. ``FRESH`` forgets the trials that went well before with the same code."""

PATIENCE = float(os.environ.get("PATIENCE", "1"))
"""By how much limits in seconds are stretched, on a machine that is busy with other things."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: takes minutes; only `make chaos` runs it")
    cache: pytest.Cache | None = getattr(config, "cache", None)  # it can be switched off
    long = SEEDS is not None
    config.stash[BOOK] = Book(cache, long=long, resuming=long and "FRESH" not in os.environ)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", SHORT_SEEDS if SEEDS is None else range(int(SEEDS)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    long = [item for item in items if item.get_closest_marker("long")]
    if SEEDS is None and long:
        items[:] = [item for item in items if item not in long]
        config.hook.pytest_deselected(items=long)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    book = config.stash[BOOK]
    if SEEDS is not None and book.outcomes:
        terminalreporter.section("trials")
        for line in book.table():
            terminalreporter.write_line(line)


@pytest.fixture
def book(request: pytest.FixtureRequest) -> Book:
    return request.config.stash[BOOK]


@pytest.fixture(scope="session")
def ray_view(ray_cluster: LocalCluster) -> RayView:
    return RayView(ray_cluster.url, ray_cluster.token)


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """The address of a database of a trial's own, on the session's server."""
    name = f"trial_{secrets.token_hex(6)}"
    asyncio.run(postgres.create(name))
    yield postgres.url(name)
    asyncio.run(postgres.drop(name))
