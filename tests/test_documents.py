"""The documents say what is true: paths exist, tables equal the code, the lock names no place."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

from daftray.domain.status import TRANSITIONS, FailureReason, RunPhase, RunStatus

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
LIFECYCLE = ROOT / "docs" / "run-lifecycle.md"

LINK = re.compile(r"\]\(([^)\s]+)\)")
QUOTED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.-]+(/[\w.-]+)*/?")
LOCKED = re.compile(r"[a-z0-9][a-z0-9-]*==[0-9][0-9a-z.+!]*( ; [A-Za-z_0-9 .<>=!'()-]+)?")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tables(text: str) -> list[list[str]]:
    """Return the rows of all tables, cells stripped, without headings' rules."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows if not set("".join(row)) <= set("- :")]


def table_after(heading: str) -> list[list[str]]:
    """Return the body of the table of the lifecycle document whose heading row begins like that."""
    text = LIFECYCLE.read_text(encoding="utf-8")
    part = text.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return tables("\n".join(part.splitlines()[1:]))


def codes(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_lead_somewhere(document: Path) -> None:
    links = [link.partition("#")[0] for link in LINK.findall(document.read_text(encoding="utf-8"))]
    dead = [link for link in links if link and "://" not in link and not (document.parent / link).exists()]

    assert not dead


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_paths_that_are_named_exist(document: Path) -> None:
    top = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    gone = [
        text
        for text in QUOTED.findall(document.read_text(encoding="utf-8"))
        if PATH.fullmatch(text) and "/" in text and text.partition("/")[0] in top
        if not (ROOT / text).exists()
    ]

    assert not gone


def test_the_architecture_document_names_every_folder() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = {path.parent for path in (ROOT / "daftray").glob("*/__init__.py")}

    assert folders
    assert [folder.name for folder in folders if f"`daftray/{folder.name}/`" not in text] == []


def test_the_table_of_statuses_is_the_code() -> None:
    rows = table_after("status")

    assert [codes(row[0]) for row in rows] == [[status.value] for status in RunStatus]
    assert [row[2] == "yes" for row in rows] == [status.terminal for status in RunStatus]


def test_the_table_of_phases_is_the_code() -> None:
    rows = {codes(row[0])[0]: set(codes(row[2])) for row in table_after("phase")}

    assert list(rows) == [phase.value for phase in RunPhase]
    assert rows == {phase.value: {to.value for to in edges} for phase, edges in TRANSITIONS.items()}


def test_the_table_of_reasons_is_the_code() -> None:
    rows = [(codes(row[0])[0], row[2]) for row in table_after("reason")]

    assert rows == [(reason.value, reason.owner) for reason in FailureReason]


def test_the_lock_names_versions_and_no_places() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if not LOCKED.fullmatch(line)] == []


def test_the_lock_holds_all_that_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    names = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower().replace("_", "-") for line in asked} - {"daftray"}
    locked = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}

    assert names
    assert names <= locked, "run `make lock`"


def test_project_and_makefile_name_no_registry() -> None:
    for name in ("pyproject.toml", "Makefile", ".ci/run", "tools/with-python"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"https?://|file:|index-url *=|find-links", text), name
