"""The processes of the embedded Ray head: which they are, and how they end.

``ray stop`` ends every Ray on the machine. This ends one head alone. A process is one of its if it is known
by id and creation time, carries the head's marker in its environment, or is a descendant or of the session
of such a process: Ray renames processes, which wipes their environment on Linux, and user code may leave
both its parent and its session.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
import psutil

from daftray.server.ray_command import MARKER

_TERM_GRACE_S = 0.8
_KILL_WAIT_S = 0.7
_KILL_ROUNDS = 4
"""A process may be born while the others are killed; each round looks again."""


class ProcessId(msgspec.Struct, frozen=True, kw_only=True):
    """A process, safe against its id being used again. ``created`` is in seconds since the epoch."""

    pid: int
    created: float

    @classmethod
    def of(cls, process: psutil.Process) -> ProcessId:
        """Return what identifies a process. Raises `psutil.NoSuchProcess`."""
        return cls(pid=process.pid, created=process.create_time())

    @classmethod
    def of_pid(cls, pid: int) -> ProcessId:
        """Return what identifies a process that just started. Raises `psutil.NoSuchProcess`."""
        return cls.of(psutil.Process(pid))

    def find(self) -> psutil.Process | None:
        """Return the process, if it is alive."""
        try:
            process = psutil.Process(self.pid)
            alive = process.create_time() == self.created and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if alive else None

    def keeps_number(self) -> bool:
        """Tell whether no other process has the id now. While a session of that id lives, none can."""
        try:
            return psutil.Process(self.pid).create_time() == self.created
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False


class HeadRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a running head, so that a server that starts later can adopt or end it."""

    head: ProcessId
    known: tuple[ProcessId, ...] = ()
    dashboard_port: int
    root: str
    ray_version: str
    python: str
    """The interpreter that runs it."""

    def save(self, path: Path) -> None:
        """Write the record, whole or not at all."""
        partial = path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(self))
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> HeadRecord | None:
        """Return the record of a file; none where there is no file, or where it cannot be read."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (FileNotFoundError, msgspec.DecodeError):
            return None


def processes_of(root: Path, known: Iterable[ProcessId] = ()) -> set[psutil.Process]:
    """Return the living processes of the head whose private folder is that one."""
    known = tuple(known)
    found = {process for one in known if (process := one.find()) is not None}
    relatives = _Relatives({one.pid for one in known if one.keeps_number()})
    for process in psutil.process_iter():
        try:
            relatives.add(process)
            if process.environ().get(MARKER) == str(root):
                found.add(process)
        except (psutil.Error, OSError):
            continue  # it ended meanwhile, or is another user's
    return relatives.of(found | relatives.led()) - {psutil.Process(), *psutil.Process().parents()}


class _Relatives:
    """Who descends from whom, and who shares a session.

    A session counts only where its leader is one of the head's own: all members descend from the leader.
    Known ids are leaders that may have died; their number is not given away while their session lives.
    """

    def __init__(self, leaders: set[int]) -> None:
        self._leaders = leaders
        self._children: dict[int, list[psutil.Process]] = {}
        self._members: dict[int, list[psutil.Process]] = {}
        self._session: dict[int, int] = {}

    def add(self, process: psutil.Process) -> None:
        session = os.getsid(process.pid)
        self._children.setdefault(process.ppid(), []).append(process)
        self._members.setdefault(session, []).append(process)
        self._session[process.pid] = session

    def led(self) -> set[psutil.Process]:
        """Return the members of the leaders' sessions: orphans of a leader that died are among them."""
        return {member for leader in self._leaders for member in self._members.get(leader, [])}

    def of(self, found: set[psutil.Process]) -> set[psutil.Process]:
        mine = set(found)
        waiting = list(found)
        while waiting:
            process = waiting.pop()
            session = self._session.get(process.pid, 0)
            own = session == process.pid or session in self._leaders
            for relative in [
                *self._children.get(process.pid, []),
                *(self._members.get(session, []) if own else []),
            ]:
                if relative not in mine:
                    mine.add(relative)
                    waiting.append(relative)
        return mine


def end(root: Path, known: Iterable[ProcessId] = (), *, head: ProcessId | None = None) -> list[int]:
    """End a head within four seconds: politely for a moment, so that drivers may clean up, then for good.

    Returns:
        The ids of what is left nevertheless (a process stuck in the kernel).
    """
    known = tuple(known)
    running = processes_of(root, known)
    # Told to end, the head's first process would drain its node for half a minute.
    _signal({one for one in running if head is None or one.pid != head.pid}, kill=False)
    psutil.wait_procs(running, timeout=_TERM_GRACE_S)
    known = (*known, *_identities(running))
    for _ in range(_KILL_ROUNDS):
        left = processes_of(root, known)
        if not left:
            return []
        _signal(left, kill=True)
        psutil.wait_procs(left, timeout=_KILL_WAIT_S)
    return sorted(process.pid for process in processes_of(root, known))


def refreshed(record: HeadRecord) -> HeadRecord:
    """Return the record with the processes that its head has now."""
    running = processes_of(Path(record.root), (record.head, *record.known))
    return msgspec.structs.replace(record, known=tuple(_identities(running)))


def _identities(processes: Iterable[psutil.Process]) -> list[ProcessId]:
    known: list[ProcessId] = []
    for process in processes:
        try:
            known.append(ProcessId.of(process))
        except psutil.Error:
            continue
    return sorted(known, key=lambda one: one.pid)


def _signal(processes: Iterable[psutil.Process], *, kill: bool) -> None:
    for process in processes:
        try:
            process.kill() if kill else process.terminate()
        except psutil.Error:
            continue
