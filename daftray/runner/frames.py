"""Whose a frame is, and how its file is called: the same on every machine, so that equal errors meet."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, TracebackType

MAX_FRAMES = 100
_KEPT_OUTERMOST = 20
LONGEST_CODE = 300

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
_BOOT = "_daftray_boot.py"
_PACKAGED = os.sep + "working_dir_files" + os.sep
"""Where Ray unpacks a job's working directory, on each node (ray/_private/runtime_env/working_dir.py)."""
_INSTALLED = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)


def is_ours(file: str) -> bool:
    """Whether a file belongs to the runner."""
    return file.startswith(_OURS) or file.endswith(os.sep + _BOOT)


def place(file: str, root: str) -> tuple[str, bool]:
    """Return how a file is called and whether it is the user's.

    The user's files are named from the run's folder (``root``, which is where its processes start),
    installed ones from ``site-packages``, Python's own from its library.
    """
    if file.startswith("<"):
        return file, False
    for marker in _INSTALLED:
        if marker in file:
            return file.rpartition(marker)[2], False
    inside = root + os.sep
    for path in (file, os.path.realpath(file)):
        if path.startswith(inside):
            return path.removeprefix(inside), True
    if _PACKAGED in file:
        return file.partition(_PACKAGED)[2].partition(os.sep)[2], True
    library = os.path.dirname(os.__file__) + os.sep
    return file.removeprefix(library), False


def walk(traceback: TracebackType | None, root: str) -> list[dict[str, object]]:
    """Return the frames of a traceback, innermost last, without the runner's own.

    Of a deep recursion the outermost and the innermost are kept; nothing is read for those between.
    """
    places: list[tuple[CodeType, int]] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not is_ours(code.co_filename):
            places.append((code, traceback.tb_lineno or code.co_firstlineno))
        traceback = traceback.tb_next
    if len(places) > MAX_FRAMES:
        places = places[:_KEPT_OUTERMOST] + places[_KEPT_OUTERMOST - MAX_FRAMES :]
    return [frame(code.co_filename, line, code.co_qualname, root=root) for code, line in places]


def strip(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback from its first frame that is not the runner's, as plain Python would show it."""
    while traceback is not None and is_ours(traceback.tb_frame.f_code.co_filename):
        traceback = traceback.tb_next
    return traceback


def frame(file: str, line: int, function: str, *, root: str, code: str | None = None) -> dict[str, object]:
    """Return one frame, with its source line where that can be read."""
    import linecache  # only where something failed: it takes a tenth of what a start may

    name, user = place(file, root)
    source = (code if code is not None else linecache.getline(file, line)).strip()
    found: dict[str, object] = {"file": name, "line": line, "function": function, "user": user}
    if source:
        found["code"] = source[:LONGEST_CODE]
    return found
