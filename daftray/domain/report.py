"""What the runner sends from inside the cluster. ``docs/run-lifecycle.md`` draws the conversation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from daftray.domain.problem import ExceptionInfo
from daftray.domain.spec import Entrypoint

AttemptNumber = Annotated[int, msgspec.Meta(ge=1)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time that says its offset from UTC: the database keeps no other."""


class StartedReport(msgspec.Struct, frozen=True, kw_only=True):
    """The driver is about to run the user's code. ``at`` is the driver's clock."""

    attempt: AttemptNumber
    pid: int
    host: str
    python_version: str
    at: Instant


class StartAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the control plane answers to a `StartedReport`: what to run, and the secrets to run it with.

    Neither is in Ray's metadata, in an environment variable that Ray keeps, or on a command line.
    """

    entrypoint: Entrypoint
    secrets: dict[str, str]

    def __repr__(self) -> str:
        """Leave the secrets out: a repr ends up in logs."""
        return f"StartAnswer(entrypoint={self.entrypoint!r})"


Outcome = Literal["returned", "raised", "exited", "entrypoint_not_found", "arguments_invalid"]


class ReportedProblem(msgspec.Struct, frozen=True, kw_only=True):
    """The process, key and UDF under which a process reports an exception among its problems."""

    process: str
    key: str
    udf: str | None = None


class FinishedReport(msgspec.Struct, frozen=True, kw_only=True):
    """The user's code ended, and how.

    * ``returned``: to its end. * ``exited``: by ``sys.exit``, with ``exit_code``.
    * ``raised``: by an exception that nobody handled.
    * ``entrypoint_not_found``: file, module or function is not there.
    * ``arguments_invalid``: the arguments do not fit the function; ``detail`` lists every bad one.

    ``problem`` says that ``exception`` is one that the process reports by itself, too, and under which key.
    """

    attempt: AttemptNumber
    outcome: Outcome
    exit_code: int
    detail: str | None = None
    exception: ExceptionInfo | None = None
    problem: ReportedProblem | None = None
    at: Instant


class AttemptReports(msgspec.Struct, frozen=True, kw_only=True):
    """What has been received of one attempt. ``heard_at`` is about when the last report of any kind came."""

    started: StartedReport | None = None
    finished: FinishedReport | None = None
    heard_at: datetime | None = None
