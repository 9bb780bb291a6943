"""The search for a Python to build the environment with, among stand-ins that behave as real ones do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.interpreters import NoInterpreterError, UnusableError, candidates, choose, probe

ROOT = Path(__file__).parent.parent.parent


def program(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def python(
    path: Path, version: tuple[int, int, int], *, missing: tuple[str, ...] = (), cpython: bool = True
) -> str:
    facts = {"executable": str(path), "version": version, "cpython": cpython, "missing": missing}
    return program(path, f"echo '{json.dumps(facts)}'")


def test_takes_3_12_wherever_it_stands(tmp_path: Path) -> None:
    found = choose(
        [
            python(tmp_path / "a", (3, 11, 2)),
            python(tmp_path / "b", (3, 13, 0)),
            python(tmp_path / "c", (3, 12, 1)),
        ]
    )

    assert str(found) == "3.12.1"
    assert found.executable == str(tmp_path / "c")


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        ([(3, 11, 2), (3, 13, 0)], "3.13.0"),
        ([(3, 14, 0), (3, 11, 2)], "3.11.2"),
        ([(3, 15, 0), (3, 14, 1)], "3.14.1"),
    ],
)
def test_prefers_what_the_lock_was_tried_with(
    tmp_path: Path, there: list[tuple[int, int, int]], taken: str
) -> None:
    assert (
        str(choose([python(tmp_path / f"p{index}", version) for index, version in enumerate(there)])) == taken
    )


def test_passes_over_shims_that_only_fail(tmp_path: Path) -> None:
    shim = program(tmp_path / "shim", "exit 127")

    with pytest.raises(UnusableError, match="exit code 127"):
        probe(shim)
    assert str(choose([shim, python(tmp_path / "real", (3, 11, 0))])) == "3.11.0"


def test_says_what_to_install_and_why_each_candidate_was_refused(tmp_path: Path) -> None:
    refused = [
        python(tmp_path / "old", (3, 10, 13)),
        python(tmp_path / "bare", (3, 11, 2), missing=("ensurepip",)),
        python(tmp_path / "other", (3, 11, 2), cpython=False),
        program(tmp_path / "odd", "echo Hello"),
        str(tmp_path / "nothing"),
    ]

    with pytest.raises(NoInterpreterError) as caught:
        choose(refused)

    message = str(caught.value)
    assert "apt install python3 python3-venv" in message
    assert "old is Python 3.10.13, older than 3.11" in message
    assert "bare lacks ensurepip (Debian, Ubuntu: apt install python3.11-venv)" in message
    assert "other is not the usual CPython build" in message
    assert "odd does not answer as a Python does" in message
    assert "nothing does not run" in message


def test_this_very_interpreter_can_be_used() -> None:
    assert probe(sys.executable).version == sys.version_info[:3]


def test_looks_behind_a_shim_on_path_and_in_version_managers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = program(tmp_path / "shims" / "python3.12", "exit 127")
    behind = python(tmp_path / "bin" / "python3.12", (3, 12, 0))
    managed = python(tmp_path / "home" / ".pyenv" / "versions" / "3.13.0" / "bin" / "python3.13", (3, 13, 0))
    own = python(tmp_path / "checkout" / ".venv" / "bin" / "python3", (3, 12, 0))
    folders = [tmp_path / "shims", tmp_path / "bin", Path(own).parent]
    monkeypatch.setenv("PATH", ":".join(str(folder) for folder in folders))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    found = list(candidates(tmp_path / "checkout"))

    assert found.index(shim) < found.index(behind) < found.index(managed)
    assert own not in found


def test_an_old_python_is_told_what_it_needs(tmp_path: Path) -> None:
    script = ROOT / "tools" / "bootstrap.py"
    pretend = (
        "import runpy, sys; sys.version_info = (3, 6, 15); sys.argv = ['bootstrap.py']; "
        f"runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    result = subprocess.run(
        [sys.executable, "-c", pretend],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )

    assert result.returncode == 1
    assert "this is Python 3.6; run it with Python 3.11 or newer" in result.stderr
