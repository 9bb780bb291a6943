"""When the embedded Ray is started anew, and how soon after the last time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from daftray.domain.errors import ClusterUnreachableError
from daftray.server import local_ray
from daftray.server.local_ray import LocalCluster, LocalRay

CLUSTER = LocalCluster(url="http://127.0.0.1:1", token="t", python_version="3.12.1", session="session_1")


class StandInHead:
    """Lives or not, as the test says."""

    def __init__(self) -> None:
        self.lives = True

    def alive(self) -> bool:
        return self.lives

    def note_processes(self) -> None:
        """Nothing is noted."""


class Watched(LocalRay):
    """An embedded Ray of which only the watching is real. ``launches`` ends the watching."""

    def __init__(self, data_dir: Path, *, launches: int) -> None:
        super().__init__(data_dir=data_dir, keep=False)
        self.head = StandInHead()
        self._head = self.head
        self.answers = True
        self.fails = False
        self.launched = 0
        self.launches = launches
        self.enough = asyncio.Event()

    async def _answers(self) -> bool:
        return self.answers

    async def _launch(self) -> LocalCluster:
        self.launched += 1
        if self.launched == self.launches:
            self.enough.set()
        if self.fails:
            raise ClusterUnreachableError
        self.head.lives = self.answers = True
        return CLUSTER


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the watching meant to sleep."""
    slept: list[float] = []
    sleep = asyncio.sleep

    async def at_once(seconds: float) -> None:
        slept.append(seconds)
        await sleep(0)

    monkeypatch.setattr(local_ray.asyncio, "sleep", at_once)
    return slept


async def watch_until_enough(ray: Watched) -> None:
    watching = asyncio.create_task(ray.watch())
    await asyncio.wait_for(ray.enough.wait(), 10)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_head_that_died_is_started_anew_at_once(tmp_path: Path, slept: list[float]) -> None:
    ray = Watched(tmp_path, launches=1)
    ray.head.lives = False
    await watch_until_enough(ray)
    assert slept[:2] == [local_ray._WATCH_S, 0.0]


async def test_a_head_that_keeps_dying_is_started_ever_more_rarely(
    tmp_path: Path, slept: list[float]
) -> None:
    ray = Watched(tmp_path, launches=8)
    ray.head.lives, ray.fails = False, True
    await watch_until_enough(ray)
    assert slept[1::2][:8] == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


async def test_a_silent_head_is_started_anew_after_a_while(
    tmp_path: Path, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = Watched(tmp_path, launches=1)
    ray.answers = False
    watching = asyncio.create_task(ray.watch())
    for _ in range(200):
        await asyncio.sleep(0)
    assert ray.launched == 0
    monkeypatch.setattr(local_ray, "_SILENT_FOR_S", 0)
    await asyncio.wait_for(ray.enough.wait(), 10)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert set(slept) >= {local_ray._WATCH_S}
