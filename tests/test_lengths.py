"""How long things get, and what they are called: what does not fit has a reason beside its name."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "daftray"

LIMITS = {
    "daftray": (250, 40),
    "tools": (250, 40),
    "examples": (250, 40),
    "bench": (250, 40),
    "tests": (350, 60),  # cases stand side by side, and none is called by another
}
"""Lines of a file, and of a function's body, by folder."""

LONG_FILES: dict[str, str] = {
    "daftray/domain/errors.py": "every error there is, a class of three lines each, under the tree of them"
}
LONG_FUNCTIONS = {
    "daftray/server/wiring.py:build": "one line for each thing that is wired; read it as a list",
    "daftray/server/app.py:create_app": "the same: Litestar takes the whole application in one call",
}
"""``path:function`` with the reason why it is not cut up."""

FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc", "core"}
"""Names that say nothing of what is inside, and so collect everything."""


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def test_files_are_short() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for folder, (limit, _) in LIMITS.items()
        for path in sources(ROOT / folder)
        if "_sync" not in path.parts  # generated from _async
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > limit
    }

    assert long.keys() == LONG_FILES.keys(), long


def test_functions_are_short() -> None:
    """Signatures and docstrings do not count: they are there to be read, not to be followed."""
    long = {
        f"{path.relative_to(ROOT)}:{function.name}": lines
        for folder, (_, limit) in LIMITS.items()
        for path in sources(ROOT / folder)
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        if (lines := _body_lines(function)) > limit
    }

    assert long.keys() == LONG_FUNCTIONS.keys(), long


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = {
        str(path.relative_to(ROOT))
        for path in [*sources(PACKAGE), *PACKAGE.rglob("*/")]
        if path.stem.strip("_") in FORBIDDEN_NAMES
    }

    assert not vague


def test_every_module_and_package_says_what_it_is() -> None:
    silent = {
        str(path.relative_to(ROOT))
        for path in sources(PACKAGE)
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    }

    assert not silent
