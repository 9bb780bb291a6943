"""Exceptions of a run's code, and how equal ones are grouped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One frame of a stack. ``file`` is relative to the repository where it is the user's (``user``)."""

    file: str
    line: int
    function: str
    code: str | None = None
    user: bool = False


class ExceptionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An exception as the runner saw it: frames innermost last, the chain of causes outermost first."""

    type: str
    message: str
    frames: list[Frame] = msgspec.field(default_factory=list[Frame])
    causes: list[ExceptionInfo] = msgspec.field(default_factory=list["ExceptionInfo"])
    notes: list[str] = msgspec.field(default_factory=list[str])


Handled = Literal["raise", "log", "ignore"]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Equal exceptions of a run, counted."""

    fingerprint: str
    type: str
    message: str
    udf: str | None = None
    count: int = 1
    first_seen: datetime
    last_seen: datetime
    attempt: int
    handled: Handled = "raise"
    frames: list[Frame]
    causes: list[ExceptionInfo]


def fingerprint(exception: ExceptionInfo, udf: str | None = None) -> str:
    """Return the text under which equal exceptions meet, across processes, attempts and runs.

    It is made of the type, the UDF and the functions of the user's frames: not of messages, which hold
    values, and not of line numbers, which move with every edit above them.
    """
    frames: Iterable[Frame] = [frame for frame in exception.frames if frame.user] or exception.frames
    parts = [exception.type, udf or "", *(f"{frame.file}:{frame.function}" for frame in frames)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
