"""Which processes count as a head's, and that they all end. Small real processes stand in for Ray's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest

from daftray.server.ray_command import MARKER
from daftray.server.ray_process import HeadRecord, ProcessId, end, processes_of, refreshed

# A head with a child that left its session and does not heed SIGTERM, and one that wiped its environment.
HEAD = """
import os, subprocess, sys, time
deaf = "import signal as s, time; s.signal(s.SIGTERM, s.SIG_IGN); print(flush=True); time.sleep(600)"
stray = subprocess.Popen([sys.executable, "-c", deaf], start_new_session=True, stdout=subprocess.PIPE)
stray.stdout.readline()
bare = subprocess.Popen(["sleep", "600"], env={})
print(stray.pid, bare.pid, flush=True)
time.sleep(600)
"""


class Head:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.popen = subprocess.Popen(
            [sys.executable, "-c", HEAD],
            env={MARKER: str(root)},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.popen.stdout is not None
        told = self.popen.stdout.readline().split()
        self.pids = {self.popen.pid, *map(int, told)}
        self.id = ProcessId.of_pid(self.popen.pid)

    def alive(self) -> set[int]:
        return {pid for pid in self.pids if psutil.pid_exists(pid) and not zombie(pid)}


def zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def heads(tmp_path: Path) -> Generator[tuple[Head, Head]]:
    two = (Head(tmp_path / "one"), Head(tmp_path / "two"))
    try:
        yield two
    finally:
        for head in two:
            for pid in head.alive():
                psutil.Process(pid).kill()
            with head.popen:
                pass


def test_one_head_ends_with_all_that_came_of_it_and_no_other_does(heads: tuple[Head, Head]) -> None:
    one, two = heads
    assert {process.pid for process in processes_of(one.root)} == one.pids
    assert end(one.root, [one.id], head=one.id) == []
    assert one.alive() == set()
    assert two.alive() == two.pids


def test_what_is_left_of_a_dead_head_is_found_by_its_mark_and_its_record(heads: tuple[Head, Head]) -> None:
    head, _ = heads
    record = HeadRecord(
        head=head.id, dashboard_port=1, root=str(head.root), ray_version="2", python=sys.executable
    )
    record = refreshed(record)
    assert {one.pid for one in record.known} == head.pids
    head.popen.kill()
    head.popen.wait()
    # The one with an empty environment has neither parent nor mark any more.
    assert {one.pid for one in processes_of(head.root, record.known)} == head.pids - {head.popen.pid}
    assert end(head.root, record.known, head=record.head) == []
    assert head.alive() == set()


def test_a_process_in_somebody_elses_session_does_not_bring_that_session_along(tmp_path: Path) -> None:
    # This test's own session: were it taken for the head's, the test would not live to fail.
    marked = subprocess.Popen(["sleep", "600"], env={MARKER: str(tmp_path), "PATH": os.environ["PATH"]})
    with marked:
        try:
            assert {one.pid for one in processes_of(tmp_path)} == {marked.pid}
            assert end(tmp_path) == []
        finally:
            marked.kill()


def test_an_id_that_was_used_again_is_nobody(heads: tuple[Head, Head]) -> None:
    head, _ = heads
    impostor = ProcessId(pid=head.popen.pid, created=head.id.created - 1)
    assert impostor.find() is None
    assert head.id.find() is not None
    assert processes_of(Path("/nowhere"), [impostor]) == set()


@pytest.mark.parametrize("content", ["", "{", '{"head": 1}'])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "head.json").write_text(content)
    assert HeadRecord.load(tmp_path / "head.json") is None


def test_an_orphan_without_an_environment_is_found_by_its_session(heads: tuple[Head, Head]) -> None:
    one, two = heads
    bare = next(
        child for child in psutil.Process(one.popen.pid).children() if not child.environ().get(MARKER)
    )
    for process in processes_of(one.root) - {bare}:
        process.kill()
    one.popen.wait()
    assert processes_of(one.root) == set()
    assert processes_of(one.root, [one.id]) == {bare}
    assert end(one.root, [one.id], head=one.id) == []
    assert two.alive() == two.pids
