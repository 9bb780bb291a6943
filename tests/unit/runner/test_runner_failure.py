"""Exceptions as they are reported: frames, causes, notes; bounded, and with nobody's data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from daftray.domain.problem import ExceptionInfo
from daftray.runner import failure, frames


def described(code: str, folder: Path) -> dict[str, Any]:
    """Run a file of the user's in the run's folder; return how its exception is told."""
    path = folder / "jobs.py"
    path.write_text(code)
    with pytest.raises(BaseException) as error:  # noqa: PT011 (any that the code raises)
        exec(compile(code, str(path), "exec"), {"__name__": "jobs"})  # noqa: S102
    info = failure.describe(error.value, str(folder))
    msgspec.convert(info, ExceptionInfo)
    return info


def functions(info: dict[str, Any]) -> list[str]:
    return [frame["function"] for frame in info["frames"] if frame["user"]]


def test_frames_are_the_users_own_down_to_the_line(tmp_path: Path) -> None:
    code = "class Job:\n    def run(self, secret):\n        return secret / 0\nJob().run(42)\n"

    info = described(code, tmp_path)

    assert (info["type"], info["message"]) == ("ZeroDivisionError", "division by zero")
    assert info["frames"][-2:] == [
        {"file": "jobs.py", "line": 4, "function": "<module>", "user": True, "code": "Job().run(42)"},
        {"file": "jobs.py", "line": 3, "function": "Job.run", "user": True, "code": "return secret / 0"},
    ]


def test_frames_of_others_are_named_as_they_are_installed(tmp_path: Path) -> None:
    info = described("import json\njson.loads('{')\n", tmp_path)

    assert [frame["file"] for frame in info["frames"][-3:]] == [
        "json/__init__.py",
        "json/decoder.py",
        "json/decoder.py",
    ]
    assert not info["frames"][-1]["user"]

    info = described("import pydantic\npydantic.TypeAdapter(int).validate_python('x')\n", tmp_path)

    assert info["frames"][-1]["file"].startswith("pydantic/")
    assert info["type"] == "pydantic_core._pydantic_core.ValidationError"


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("/r/runtime_resources/working_dir_files/_ray_pkg_1/jobs/etl.py", ("jobs/etl.py", True)),
        ("/usr/lib/python3/dist-packages/six.py", ("six.py", False)),
        ("<string>", ("<string>", False)),
        ("<frozen importlib._bootstrap>", ("<frozen importlib._bootstrap>", False)),
        ("/elsewhere/thing.py", ("/elsewhere/thing.py", False)),
    ],
)
def test_files_are_called_the_same_on_every_machine(file: str, place: tuple[str, bool]) -> None:
    assert frames.place(file, "/run") == place


def test_a_virtual_environment_in_the_working_directory_is_not_the_users_code(
    tmp_path: Path,
) -> None:
    file = str(tmp_path / "venv/lib/python3/site-packages/six.py")

    assert frames.place(file, str(tmp_path)) == ("six.py", False)


def test_causes_and_contexts_follow_outermost_first(tmp_path: Path) -> None:
    code = """
def first(): raise KeyError("a")
def second():
    try: first()
    except KeyError as error: raise ValueError("b") from error
def third():
    try: second()
    except ValueError: raise TypeError("c")
third()
"""
    info = described(code, tmp_path)

    assert info["type"] == "TypeError"
    assert [cause["type"] for cause in info["causes"]] == ["ValueError", "KeyError"]
    assert functions(info["causes"][1]) == ["second", "first"]
    assert all("causes" not in cause for cause in info["causes"])


def test_a_suppressed_context_is_not_told(tmp_path: Path) -> None:
    code = "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise ValueError('b') from None\n"

    assert "causes" not in described(code, tmp_path)


def test_a_chain_that_closes_on_itself_ends(tmp_path: Path) -> None:
    code = "a, b = ValueError('a'), ValueError('b')\na.__cause__, b.__cause__ = b, a\nraise a\n"

    assert [cause["message"] for cause in described(code, tmp_path)["causes"]] == ["b"]


def test_the_members_of_a_group_are_told(tmp_path: Path) -> None:
    code = "raise ExceptionGroup('both', [ValueError('a'), ExceptionGroup('inner', [KeyError('b')])])\n"

    causes = described(code, tmp_path)["causes"]

    assert [cause["type"] for cause in causes] == ["ValueError", "ExceptionGroup", "KeyError"]


def test_notes_are_told(tmp_path: Path) -> None:
    code = "error = ValueError('a')\nerror.add_note('row 3')\nraise error\n"

    assert described(code, tmp_path)["notes"] == ["row 3"]


def test_everything_is_bounded(tmp_path: Path) -> None:
    code = """
def deep(n):
    if n: return deep(n - 1)
    raise ValueError("long " * 10_000)
deep(500)
"""
    info = described(code, tmp_path)

    assert len(info["message"]) == failure.LONGEST_MESSAGE
    assert len(info["frames"]) == frames.MAX_FRAMES
    assert info["frames"][-1]["code"].startswith("raise")
    assert "<module>" in functions(info)


def test_an_exception_that_cannot_be_shown_is_told_all_the_same(tmp_path: Path) -> None:
    code = "class Odd(Exception):\n    def __str__(self): raise RuntimeError('no')\nraise Odd\n"

    info = described(code, tmp_path)

    assert (info["type"], info["message"]) == ("jobs.Odd", "<its message cannot be shown: RuntimeError>")


def test_a_syntax_error_ends_at_its_own_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.py").write_text("x = 1\nif x\n    y = 2\n")
    monkeypatch.syspath_prepend(tmp_path)

    info = described("import broken\n", tmp_path)
    sys.modules.pop("broken", None)

    assert (info["type"], info["message"]) == ("SyntaxError", "expected ':'")
    assert functions(info)[-2:] == ["<module>", "<module>"]
    assert info["frames"][-1] == {
        "file": "broken.py",
        "line": 2,
        "function": "<module>",
        "user": True,
        "code": "if x",
    }


def test_a_ray_task_error_brings_the_frames_of_its_worker() -> None:
    """Ray sends a worker's traceback as text only."""
    from ray.exceptions import RayTaskError  # noqa: PLC0415 (seconds)

    text = (
        "\x1b[36mray::task()\x1b[39m (pid=1, ip=127.0.0.1)\n"
        '  File "/r/working_dir_files/p/jobs/etl.py", line 5, in task\n'
        "    return inner(x)\n"
        "           ^^^^^^^^\n"
        '  File "/r/working_dir_files/p/jobs/etl.py", line 3, in Job.inner\n'
        "    raise KeyError(x)\n"
        "KeyError: 'missing'"
    )
    error = RayTaskError("task", text, KeyError("missing"), proctitle="p", pid=1, ip="127.0.0.1")

    info: Any = failure.describe(error.as_instanceof_cause(), "/run")

    assert info["type"] == "ray.exceptions.RayTaskError(KeyError)"
    assert "\x1b" not in info["message"]
    assert info["frames"][-2:] == [
        {"file": "jobs/etl.py", "line": 5, "function": "task", "user": True, "code": "return inner(x)"},
        {
            "file": "jobs/etl.py",
            "line": 3,
            "function": "Job.inner",
            "user": True,
            "code": "raise KeyError(x)",
        },
    ]
    assert [(cause["type"], cause["message"]) for cause in info["causes"]] == [("KeyError", "'missing'")]
