"""Frames of an exception with the code around them, in colours; and the whole of it as text to copy."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from daftray.domain.problem import ExceptionInfo, Frame, Problem, SourceLines
from daftray.web.python_text import Part, coloured


class LineShown(msgspec.Struct, frozen=True, kw_only=True):
    """A line of code: its number, its parts, and whether the frame is at it."""

    number: int
    parts: list[Part]
    here: bool


class FrameShown(msgspec.Struct, frozen=True, kw_only=True):
    """A frame, and the lines around it as far as they are known. ``link`` leads to the Git host."""

    frame: Frame
    lines: list[LineShown]
    link: str | None = None


def frame_shown(frame: Frame, source: SourceLines | None) -> FrameShown:
    """Return a frame with the code around it, else with its one line as the process read it."""
    if source is None:
        first, lines, link = frame.line, frame.code.split("\n") if frame.code else [], None
    else:
        first, lines, link = source.first, source.lines, source.link
    parts = coloured(lines) if frame.file.endswith(".py") else [[Part(text=line)] for line in lines]
    shown = [
        LineShown(number=number, parts=one, here=number == frame.line)
        for number, one in enumerate(parts, first)
    ]
    return FrameShown(frame=frame, lines=shown, link=link)


def trace_of(problem: Problem) -> str:
    """Return an exception as text, much as Python prints it, where the traceback itself did not come."""
    info = ExceptionInfo(
        type=problem.type,
        message=problem.message,
        frames=problem.frames,
        causes=problem.causes,
        notes=problem.notes,
    )
    return "\n".join(_lines(info))


def _lines(info: ExceptionInfo) -> Iterator[str]:
    # The chain is kept outermost first; Python prints the innermost first, as it came about.
    for cause in reversed(info.causes):
        yield from _own_lines(cause)
        yield "\nThe above exception led to this one:\n"
    yield from _own_lines(info)


def _own_lines(info: ExceptionInfo) -> Iterator[str]:
    if info.frames:
        yield "Traceback (most recent call last):"
    for frame in info.frames:
        yield f'  File "{frame.file}", line {frame.line}, in {frame.function}'
        if frame.code:
            yield f"    {frame.code.strip()}"
    yield f"{info.type}: {info.message}"
    yield from info.notes
