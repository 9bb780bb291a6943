"""The exceptions of one process: equal ones counted together, the first described, a few kept as samples.

A UDF may fail for each of a million rows, so an exception that is like one before costs little: its type
and the places of its traceback are looked up, and nothing is made of it. All of it is bounded.
"""

from __future__ import annotations

import json
import threading
import time

from daftray.runner import failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    Shape = tuple[type, str | None, str, tuple[tuple[int, int], ...]]

MAX_PROBLEMS = 100
"""Kinds of exceptions that a process tells apart. What comes beyond them is counted together."""
MAX_SAMPLES = 5
MAX_SHAPES = 2000
"""Tracebacks that are known at sight. A recursion has one for each depth."""
LONGEST_SAMPLE = 2000
LARGEST_INFO = 64 * 1024
"""Characters of one exception with its causes. What does not fit loses causes' outer frames."""
LARGEST_STACKTRACE = 16 * 1024
_FRAMES_OF_CAUSES = 10
_MARK = "__daftray__"
"""Where an exception says under which key of which process it was counted."""


class Problem:
    """Equal exceptions of this process: same type, UDF and functions, and the same became of them."""

    __slots__ = (
        "count",
        "first_ns",
        "handled",
        "info",
        "key",
        "last_ns",
        "samples",
        "sent",
        "stacktrace",
        "udf",
    )

    def __init__(
        self, key: str, info: dict[str, Any], stacktrace: str, *, udf: str | None, handled: str, now_ns: int
    ) -> None:
        self.key = key
        self.info = info
        self.stacktrace = stacktrace
        self.udf = udf
        self.handled = handled
        self.count = 0
        self.sent = 0
        self.first_ns = self.last_ns = now_ns
        self.samples: list[dict[str, object]] = []


class Problems:
    """The problems of the process ``process``, whose user's files lie in ``root``.

    ``on_first`` is called when something is counted after a quiet time.
    """

    def __init__(
        self,
        process: str,
        root: str,
        on_first: Callable[[], None],
        *,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.process = process
        self._root = root
        self._on_first = on_first
        self._now_ns = now_ns
        self._lock = threading.RLock()
        # The code objects are held so that no other can be at their address.
        self._shapes: dict[Shape, tuple[Problem, list[CodeType]]] = {}
        self._problems: dict[tuple[object, ...], Problem] = {}
        self._others: Problem | None = None
        self._quiet = True

    def add(
        self,
        error: BaseException,
        *,
        udf: str | None = None,
        handled: str = "raise",
        arguments: list[str] | None = None,
    ) -> None:
        """Count an exception. ``arguments`` are previews of what the call was given. Raises nothing."""
        try:
            now_ns = self._now_ns()
            problem = self._problem(error, udf, handled, now_ns)
            with self._lock:
                problem.count += 1
                problem.last_ns = now_ns
            if self._quiet:
                self._quiet = False
                self._on_first()
            if len(problem.samples) < MAX_SAMPLES:
                self._sample(problem, error, arguments, now_ns)
            if handled == "raise":
                error.__dict__[_MARK] = (self.process, problem.key)
        except Exception:  # an exception class may do anything when it is asked
            return

    def known(self, error: BaseException) -> Problem | None:
        """Return what an exception was counted under in this process, None where it was not."""
        mark = getattr(error, "__dict__", {}).get(_MARK)
        if not isinstance(mark, tuple) or mark[0] != self.process:
            return None
        with self._lock:
            everything = [*self._problems.values(), *([self._others] if self._others else [])]
        return next((problem for problem in everything if problem.key == mark[1]), None)

    def changed(self) -> list[tuple[Problem, int]]:
        """Return what has been counted since it was `sent`, with the count so far."""
        with self._lock:
            self._quiet = True
            everything = [*self._problems.values(), *([self._others] if self._others else [])]
            return [(problem, problem.count) for problem in everything if problem.count != problem.sent]

    def sent(self, delivered: list[tuple[Problem, int]]) -> None:
        """Note what the control plane has taken."""
        with self._lock:
            for problem, count in delivered:
                problem.sent = max(problem.sent, count)

    def _problem(self, error: BaseException, udf: str | None, handled: str, now_ns: int) -> Problem:
        # A syntax error tells its place itself, an error of Ray's has a worker's frames as text.
        plain = not isinstance(error, SyntaxError) and not failure.is_ray_task_error(error)
        places, codes = _places(error) if plain else ((), [])
        shape = (type(error), udf, handled, places)
        if plain and (seen := self._shapes.get(shape)) is not None:
            return seen[0]
        info = _bounded(failure.describe(error, self._root))
        with self._lock:
            problem = self._same(error, info, udf, handled, now_ns)
            if plain:
                if len(self._shapes) >= MAX_SHAPES:
                    self._shapes.clear()
                self._shapes[shape] = (problem, codes)
        return problem

    def _same(
        self, error: BaseException, info: dict[str, Any], udf: str | None, handled: str, now_ns: int
    ) -> Problem:
        frames = info["frames"]
        mine = [frame for frame in frames if frame["user"]] or frames
        functions = tuple(dict.fromkeys((frame["file"], frame["function"]) for frame in mine))
        signature = (info["type"], udf, handled, functions)
        problem = self._problems.get(signature)
        if problem is not None:
            return problem
        if len(self._problems) >= MAX_PROBLEMS:
            if self._others is None:
                self._others = Problem("others", _OTHERS, "", udf=None, handled=handled, now_ns=now_ns)
            return self._others
        problem = Problem(
            str(len(self._problems) + 1),
            info,
            failure.stacktrace(error)[-LARGEST_STACKTRACE:],
            udf=udf,
            handled=handled,
            now_ns=now_ns,
        )
        self._problems[signature] = problem
        return problem

    def _sample(
        self, problem: Problem, error: BaseException, arguments: list[str] | None, now_ns: int
    ) -> None:
        sample: dict[str, object] = {
            "at_ns": now_ns,
            "message": failure.message_of(error)[:LONGEST_SAMPLE],
            "worker": self.process,
        }
        if arguments is not None:
            sample["arguments"] = arguments
        with self._lock:
            if len(problem.samples) < MAX_SAMPLES:
                problem.samples.append(sample)


_OTHERS: dict[str, Any] = {
    "type": "daftray.OtherProblems",
    "message": f"A process has more than {MAX_PROBLEMS} kinds of exceptions: the rest are counted here.",
    "frames": [],
}


def _places(error: BaseException) -> tuple[tuple[tuple[int, int], ...], list[CodeType]]:
    """Return where a traceback has been, quick to compare, and the code objects that it names."""
    places: list[tuple[int, int]] = []
    codes: list[CodeType] = []
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        codes.append(code)
        places.append((id(code), traceback.tb_lasti))
        traceback = traceback.tb_next
    return tuple(places), codes


def _bounded(info: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(info)) > LARGEST_INFO:
        for cause in info.get("causes", ()):
            cause["frames"] = cause["frames"][-_FRAMES_OF_CAUSES:]
            cause["message"] = cause["message"][:LONGEST_SAMPLE]
    return info
