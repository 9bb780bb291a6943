"""Mirrors that are refreshed beside everything else: each by one at a time, and never without end."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import pytest

from daftray.domain.errors import SourceUnavailableError
from daftray.domain.ports import GitRepository
from daftray.projects import refreshes
from daftray.projects.refreshes import Refreshes


class Mirrors:
    """Refreshes when ``free`` is set. ``failure`` is raised instead."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.began: list[str] = []
        self.begins = asyncio.Semaphore(0)
        self.at_once = self.most = 0
        self.failure: Exception | None = None

    async def repository(self, project: str, remote: str) -> GitRepository:
        return GitRepository(project=project, remote=remote)

    async def refresh(self, repository: GitRepository) -> bool:
        self.began.append(repository.remote)
        self.begins.release()
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await self.free.wait()
        self.at_once -= 1
        if self.failure:
            raise self.failure
        return True


def made() -> tuple[Refreshes, Mirrors]:
    mirrors = Mirrors()
    both: Any = mirrors  # of the projects, too, it is asked one thing alone
    return Refreshes(projects=both, mirrors=both), mirrors


async def begun(mirrors: Mirrors, count: int) -> None:
    async with asyncio.timeout(10):
        for _ in range(count):
            await mirrors.begins.acquire()


async def test_news_that_come_meanwhile_are_fetched_once_more_and_no_more() -> None:
    asked, mirrors = made()
    asked.ask("prj_1", "a")
    await begun(mirrors, 1)
    for _ in range(5):
        asked.ask("prj_1", "a")
    mirrors.free.set()
    await asked.settle()
    assert mirrors.began == ["a", "a"]
    asked.ask("prj_1", "a")
    await asked.settle()
    assert len(mirrors.began) == 3


async def test_few_go_on_at_a_time_and_not_without_end_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshes, "BOUND", 5)
    asked, mirrors = made()
    for number in range(9):
        asked.ask("prj_1", str(number))
    await begun(mirrors, 2)
    mirrors.free.set()
    await asked.settle()
    assert (sorted(mirrors.began), mirrors.most) == (["0", "1", "2", "3", "4"], 2)


@pytest.mark.parametrize("failure", [SourceUnavailableError(), RuntimeError("a defect")])
async def test_one_that_fails_is_in_the_log_and_may_be_asked_for_again(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    asked, mirrors = made()
    mirrors.free.set()
    mirrors.failure = failure
    for _ in range(2):
        asked.ask("prj_1", "a")
        await asked.settle()
    messages = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [cast("Any", record).project for record in messages] == ["prj_1", "prj_1"]


async def test_the_rest_is_left_when_the_server_stops() -> None:
    asked, mirrors = made()
    for number in range(4):
        asked.ask("prj_1", str(number))
    await begun(mirrors, 2)
    await asked.close()
    assert len(mirrors.began) == 2
    await asked.settle()
