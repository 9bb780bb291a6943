"""Valid things of the domain, each in one line: what a test does not name has a sound default.

``a_run(status=...)`` and the like override any field. Ids of runs follow their creation times.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from daftray.domain.connection import Connection, ConnectionSort
from daftray.domain.counters import Counter
from daftray.domain.ids import Ids
from daftray.domain.ports import Claim, NewRun
from daftray.domain.principal import ApiKey, Role
from daftray.domain.problem import (
    ExceptionInfo,
    Frame,
    Problem,
    ProblemReport,
    ProblemSample,
)
from daftray.domain.project import DEFAULT_WORKSPACE, GitRemote, Project, ProjectSource, SealedSecret
from daftray.domain.report import FinishedReport, StartedReport
from daftray.domain.run import Run, RunEvent
from daftray.domain.spec import Entrypoint, FileEntrypoint, GitSource, Source
from daftray.domain.status import RunPhase, RunStatus
from daftray.domain.task import Task
from daftray.domain.user import User

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
COMMIT = "0123456789abcdef0123456789abcdef01234567"

_ids = Ids()

Fields = Any  # any field of the thing, by name


def at(seconds: float) -> datetime:
    """Return the time some seconds after `NOW`."""
    return NOW + timedelta(seconds=seconds)


def a_project(**fields: Fields) -> Project:
    created_at = fields.get("created_at", NOW)
    defaults: dict[str, Fields] = {
        "id": _ids.new("prj", created_at),
        "workspace": DEFAULT_WORKSPACE,
        "name": "demo",
        "source": ProjectSource(git=GitRemote(remote="https://git.example/demo.git")),
        "created_at": created_at,
    }
    return Project(**{**defaults, **fields})


def a_run(**fields: Fields) -> Run:
    created_at = fields.get("created_at", NOW)
    defaults: dict[str, Fields] = {
        "id": _ids.new("run", created_at),
        "project": "prj_demo",
        "entrypoint": Entrypoint(file=FileEntrypoint(file_path="main.py")),
        "source": Source(git=GitSource(remote="https://git.example/demo.git", ref="main")),
        "phase_since": created_at,
        "cluster": "local",
        "created_by": "key_admin",
        "created_at": created_at,
    }
    return Run(**{**defaults, **fields})


def a_task(**fields: Fields) -> Task:
    created_at = fields.get("created_at", NOW)
    defaults: dict[str, Fields] = {
        "id": _ids.new("tsk", created_at),
        "project": "prj_demo",
        "name": "nightly",
        "entrypoint": Entrypoint(file=FileEntrypoint(file_path="main.py")),
        "source": Source(git=GitSource(remote="https://git.example/demo.git", ref="main")),
        "created_by": "key_admin",
        "created_at": created_at,
        "updated_at": created_at,
    }
    return Task(**{**defaults, **fields})


def a_connection(**fields: Fields) -> Connection:
    created_at = fields.get("created_at", NOW)
    defaults: dict[str, Fields] = {
        "id": _ids.new("src", created_at),
        "project": "prj_demo",
        "sort": ConnectionSort.DATA_SOURCE,
        "name": "orders",
        "info": {"parquet": {"paths": ["s3://bucket/orders/*.parquet"]}},
        "created_at": created_at,
        "updated_at": created_at,
    }
    return Connection(**{**defaults, **fields})


def new(run: Run | None = None, event: RunEvent | None = None, **fields: Fields) -> NewRun:
    """Return a run as stores take new ones."""
    return NewRun(run=run or a_run(**fields), event=event or an_event())


def an_event(**fields: Fields) -> RunEvent:
    defaults: dict[str, Fields] = {
        "at": NOW,
        "from_": RunStatus.PENDING,
        "to": RunStatus.PENDING,
        "phase": RunPhase.PINNING,
    }
    return RunEvent(**{**defaults, **fields})


def a_claim(token: str = "claim-1", lease_s: float = 30) -> Claim:
    return Claim(token=token, lease=timedelta(seconds=lease_s))


def a_secret(**fields: Fields) -> SealedSecret:
    defaults: dict[str, Fields] = {
        "owner": "prj_demo",
        "name": "TOKEN",
        "key_id": "master-1",
        "ciphertext": b"\x00sealed\xff",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return SealedSecret(**{**defaults, **fields})


def a_user(**fields: Fields) -> User:
    created_at = fields.get("created_at", NOW)
    defaults: dict[str, Fields] = {
        "id": _ids.new("usr", created_at),
        "name": "ada",
        "created_at": created_at,
    }
    return User(**{**defaults, **fields})


def a_key(**fields: Fields) -> ApiKey:
    defaults: dict[str, Fields] = {
        "id": _ids.new("key", NOW),
        "name": "admin",
        "workspace": DEFAULT_WORKSPACE,
        "role": Role.ADMIN,
        "digest": "0" * 64,
        "created_at": NOW,
    }
    return ApiKey(**{**defaults, **fields})


def a_started(**fields: Fields) -> StartedReport:
    defaults: dict[str, Fields] = {
        "attempt": 1,
        "pid": 4711,
        "host": "head",
        "python_version": "3.12.1",
        "at": NOW,
    }
    return StartedReport(**{**defaults, **fields})


def a_finished(**fields: Fields) -> FinishedReport:
    defaults: dict[str, Fields] = {"attempt": 1, "outcome": "returned", "exit_code": 0, "at": NOW}
    return FinishedReport(**{**defaults, **fields})


def a_frame(**fields: Fields) -> Frame:
    defaults: dict[str, Fields] = {"file": "main.py", "line": 3, "function": "main", "user": True}
    return Frame(**{**defaults, **fields})


def an_exception(**fields: Fields) -> ExceptionInfo:
    defaults: dict[str, Fields] = {"type": "ValueError", "message": "no", "frames": [a_frame()]}
    return ExceptionInfo(**{**defaults, **fields})


def a_problem(**fields: Fields) -> Problem:
    defaults: dict[str, Fields] = {
        "fingerprint": "f" * 16,
        "type": "ValueError",
        "message": "no",
        "first_seen": NOW,
        "last_seen": NOW,
        "attempt": 1,
        "frames": [a_frame()],
        "causes": [],
    }
    return Problem(**{**defaults, **fields})


def a_problem_report(**fields: Fields) -> ProblemReport:
    defaults: dict[str, Fields] = {
        "process": "driver",
        "key": "key",
        "fingerprint": "f" * 16,
        "first_seen": NOW,
        "last_seen": NOW,
        "exception": an_exception(),
    }
    return ProblemReport(**{**defaults, **fields})


def a_sample(**fields: Fields) -> ProblemSample:
    defaults: dict[str, Fields] = {"at": NOW, "message": "no", "worker": "driver"}
    return ProblemSample(**{**defaults, **fields})


def a_counter(**fields: Fields) -> Counter:
    defaults: dict[str, Fields] = {
        "process": "driver",
        "metric": "daftray.requests",
        "attributes": {},
        "value": 1.0,
    }
    return Counter(**{**defaults, **fields})
