"""An exception in the words of ``daftray/domain/problem.py``: frames, causes, and no variable's value."""

from __future__ import annotations

import re

from daftray.runner import frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST_MESSAGE = 8 * 1024
MAX_CAUSES = 10
MAX_NOTES = 10
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_FRAME = re.compile(
    r'^ +File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>\S+)\n(?: {4,}(?P<code>[^\n]*))?',
    re.MULTILINE,
)


def describe(error: BaseException, root: str) -> dict[str, object]:
    """Return an ``ExceptionInfo``: the exception itself, and what it came from, outermost first.

    ``root`` is the run's folder, from which the user's files are named.
    """
    info = _one(error, root)
    causes = [_one(cause, root) for cause in _chain(error)]
    if causes:
        info["causes"] = causes
    return info


def _one(error: BaseException, root: str) -> dict[str, object]:
    message = message_of(error)
    found = frames.walk(error.__traceback__, root)
    if isinstance(error, SyntaxError) and error.filename:
        found.append(frames.frame(error.filename, error.lineno or 1, "<module>", root=root, code=error.text))
    elif is_ray_task_error(error):
        # Ray carries the worker's traceback as text only; its frames are where the user's code is.
        found += _frames_of_text(message, root)
    info: dict[str, object] = {
        "type": type_name(type(error)),
        "message": message[:LONGEST_MESSAGE],
        "frames": found,
    }
    notes: Any = getattr(error, "__notes__", None)
    if notes:
        info["notes"] = [str(note)[:LONGEST_MESSAGE] for note in list(notes)[:MAX_NOTES]]
    return info


def stacktrace(error: BaseException) -> str:
    """Return what Python prints of an exception, without the runner's own frames."""
    import traceback

    told: Any = traceback.TracebackException(type(error), error, error.__traceback__, compact=True)
    waiting, seen = [told], set[int]()
    while waiting and len(seen) < MAX_CAUSES:
        one = waiting.pop()
        seen.add(id(one))
        one.stack[:] = [frame for frame in one.stack if not frames.is_ours(frame.filename)]
        sources = [one.__cause__, one.__context__, *(getattr(one, "exceptions", None) or ())]
        waiting += [source for source in sources if source is not None and id(source) not in seen]
    return "".join(told.format())


def type_name(kind: type) -> str:
    """Return a class's name as a traceback writes it."""
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def message_of(error: BaseException) -> str:
    """Return what an exception says, whatever its class does when it is asked."""
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
    except Exception as failed:
        return f"<its message cannot be shown: {type_name(type(failed))}>"
    return _ANSI.sub("", text[: 4 * LONGEST_MESSAGE])


def _chain(error: BaseException) -> list[BaseException]:
    """Return what an exception came from: causes, contexts, and the members of groups. Each once."""
    found: list[BaseException] = []
    seen = {id(error)}
    waiting = _sources(error)
    while waiting and len(found) < MAX_CAUSES:
        cause = waiting.pop(0)
        if id(cause) not in seen:
            seen.add(id(cause))
            found.append(cause)
            waiting = _sources(cause) + waiting
    return found


def _sources(error: BaseException) -> list[BaseException]:
    # By name: the type of a group's members is not known.
    sources: list[BaseException] = list(getattr(error, "exceptions", ())) if _is_group(error) else []
    if error.__cause__ is not None:
        sources.append(error.__cause__)
    elif error.__context__ is not None and not error.__suppress_context__:
        sources.append(error.__context__)
    elif is_ray_task_error(error):
        cause = getattr(error, "cause", None)
        if isinstance(cause, BaseException):
            sources.append(cause)
    return sources


def _is_group(error: BaseException) -> bool:
    return isinstance(error, BaseExceptionGroup)


def is_ray_task_error(error: BaseException) -> bool:
    """Whether Ray made it of an exception in another process."""
    return any(
        base.__name__ == "RayTaskError" and base.__module__ == "ray.exceptions"
        for base in type(error).__mro__
    )


def _frames_of_text(text: str, root: str) -> list[dict[str, object]]:
    return [
        frames.frame(
            match["file"], int(match["line"]), match["function"], root=root, code=match["code"] or ""
        )
        for match in list(_FRAME.finditer(text))[-frames.MAX_FRAMES :]
        if not frames.is_ours(match["file"])
    ]
