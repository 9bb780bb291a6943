"""What all tests share: a clean environment, and one real Ray cluster for those that ask for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from daftray.server.local_ray import LocalRay


@dataclass(frozen=True, kw_only=True)
class RayCluster:
    """The session's Ray cluster: loopback only, with a token. ``python_version`` as in ``3.12.1``."""

    url: str
    token: str = field(repr=False)
    python_version: str


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the developer's own daftray and Ray from the tests."""
    for name in list(os.environ):
        if name.startswith(("DAFTRAY_", "RAY_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def ray_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayCluster]:
    """A real Ray cluster with four logical CPUs, started on first use. Tell tests apart by their ids."""
    ray = LocalRay(data_dir=tmp_path_factory.mktemp("ray-cluster"), keep=False, num_cpus=4)
    try:
        local = asyncio.run(ray.start())
        yield RayCluster(url=local.url, token=local.token, python_version=local.python_version)
    finally:
        asyncio.run(ray.stop())
