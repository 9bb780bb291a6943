from __future__ import annotations

from pathlib import Path

import pytest

from daftray.cli.dependencies import (
    find_dependencies,
    folders_up,
    given_dependencies,
    read_dependencies,
)
from daftray.cli.python_version import check_python_version, find_python_version
from daftray.domain.errors import DependenciesInvalidError, PythonVersionError

DECLARED = '[project]\nname = "x"\ndependencies = ["daft>=0.7", "numpy"]\n'
TOOL_ONLY = "[tool.ruff]\nline-length = 100\n"
DYNAMIC = '[project]\nname = "x"\ndynamic = ["dependencies"]\n'


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "pipelines" / "daily"
    folder.mkdir(parents=True)
    return folder


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_nearest_folder_wins(tmp_path: Path, here: Path) -> None:
    write(tmp_path, "pyproject.toml", DECLARED)
    assert find_dependencies(here, tmp_path).requirements == ["daft>=0.7", "numpy"]

    nearer = write(here.parent, "requirements.txt", "polars\n")
    found = find_dependencies(here, tmp_path)
    assert (found.requirements, found.origin) == (["polars"], nearer.resolve())

    write(here, "pyproject.toml", '[project]\nname = "y"\ndependencies = []\n')
    assert find_dependencies(here, tmp_path).requirements == []


@pytest.mark.parametrize("text", [TOOL_ONLY, DYNAMIC, '[project]\nname = "x"\n'])
def test_a_pyproject_that_declares_none_is_passed_over(tmp_path: Path, here: Path, text: str) -> None:
    write(here, "pyproject.toml", text)
    write(here, "requirements.txt", "daft\n")

    assert find_dependencies(here, tmp_path).requirements == ["daft"]


def test_two_declarations_in_one_folder_are_refused(tmp_path: Path, here: Path) -> None:
    write(here, "pyproject.toml", DECLARED)
    write(here, "requirements.txt", "daft\n")

    with pytest.raises(DependenciesInvalidError, match=r"--deps-from .* --dep"):
        find_dependencies(here, tmp_path)


def test_nothing_above_the_root_counts(tmp_path: Path, here: Path) -> None:
    write(tmp_path, "requirements.txt", "daft\n")

    assert find_dependencies(here, here.parent).requirements == []


def test_a_folder_elsewhere_takes_what_the_root_declares(tmp_path: Path, here: Path) -> None:
    write(here, "requirements.txt", "daft\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    assert find_dependencies(elsewhere, here).requirements == ["daft"]
    assert list(folders_up(elsewhere, here)) == [here.resolve()]


@pytest.mark.parametrize("text", ["[project", "project = 3", '[project]\ndependencies = "daft"'])
def test_a_broken_pyproject_is_told(tmp_path: Path, text: str) -> None:
    write(tmp_path, "pyproject.toml", text)

    with pytest.raises(DependenciesInvalidError, match=r"pyproject\.toml"):
        find_dependencies(tmp_path, tmp_path)


def test_a_file_can_be_named(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", DECLARED)
    listed = write(tmp_path, "requirements-gpu.txt", "torch\n")

    assert read_dependencies(listed).requirements == ["torch"]
    assert read_dependencies(tmp_path / "pyproject.toml").requirements == ["daft>=0.7", "numpy"]


def test_a_named_file_has_to_declare_some(tmp_path: Path) -> None:
    with pytest.raises(DependenciesInvalidError, match="no file"):
        read_dependencies(tmp_path / "absent.txt")
    with pytest.raises(DependenciesInvalidError, match=r"no \[project\] dependencies"):
        read_dependencies(write(tmp_path, "pyproject.toml", TOOL_ONLY))


def test_what_is_typed_is_checked() -> None:
    assert given_dependencies(["daft>=0.7"]).requirements == ["daft>=0.7"]
    with pytest.raises(DependenciesInvalidError) as refused:
        given_dependencies(["daft>=0.7", "a b", "-r x"])
    assert [issue.path for issue in refused.value.issues] == ["--dep a b", "--dep -r x"]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("3.12", "3.12"),
        ("3.12.4\n", "3.12.4"),
        ("# ours\n\n 3.11 \n3.12\n", "3.11"),
        ("cpython-3.12.1-linux-x86_64-gnu", "3.12.1"),
        ("cpython@3.13", "3.13"),
        ("python3.12", "3.12"),
        ("", ""),
        ("# nothing yet\n", ""),
    ],
)
def test_a_version_file_names_a_version(tmp_path: Path, here: Path, text: str, version: str) -> None:
    write(here.parent, ".python-version", text)

    assert find_python_version(here, tmp_path) == version


def test_the_nearest_version_file_that_names_one_wins(tmp_path: Path, here: Path) -> None:
    write(tmp_path, ".python-version", "3.11")
    assert find_python_version(here, tmp_path) == "3.11"
    write(here, ".python-version", "3.12")
    assert find_python_version(here, tmp_path) == "3.12"


def test_without_a_version_file_the_cluster_decides(tmp_path: Path, here: Path) -> None:
    assert find_python_version(here, tmp_path) == ""


@pytest.mark.parametrize("text", ["pypy3.10", "my-venv", "2.7", "3", "3.", ">=3.11"])
def test_what_is_no_version_is_told(tmp_path: Path, text: str) -> None:
    write(tmp_path, ".python-version", text)

    with pytest.raises(PythonVersionError, match="--python"):
        find_python_version(tmp_path, tmp_path)


def test_a_whole_version_text_of_python_is_understood() -> None:
    assert check_python_version("3.12.1 (main, Jan 1 2030) [GCC 12.2.0]", "--python") == "3.12.1"
