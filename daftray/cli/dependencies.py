"""What a run's environment needs, found beside its entrypoint.

From the entrypoint's folder up to the repository's root, the nearest folder that declares dependencies
wins: by ``[project.dependencies]`` in ``pyproject.toml``, or by ``requirements.txt``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from daftray.cli.requirements import check_requirement, read_requirements
from daftray.domain.errors import DependenciesInvalidError, InputIssue

PYPROJECT = "pyproject.toml"
REQUIREMENTS = "requirements.txt"


class Dependencies(msgspec.Struct, frozen=True, kw_only=True):
    """Requirements (PEP 508), and the file that they are from, if they are from one."""

    requirements: list[str]
    origin: Path | None = None


def given_dependencies(requirements: Sequence[str]) -> Dependencies:
    """Return the dependencies that were typed.

    Raises:
        DependenciesInvalidError: with each that is none.
    """
    issues = [
        InputIssue(path=f"--dep {text}", message=problem)
        for text in requirements
        if (problem := check_requirement(text))
    ]
    if issues:
        raise DependenciesInvalidError("A dependency is not valid.", issues=tuple(issues))
    return Dependencies(requirements=list(requirements))


def find_dependencies(start: Path, root: Path) -> Dependencies:
    """Return the dependencies that the nearest folder from ``start`` up to ``root`` declares, or none.

    Raises:
        DependenciesInvalidError: a folder declares them twice, or a file cannot be read.
    """
    for folder in folders_up(start, root):
        pyproject, requirements = folder / PYPROJECT, folder / REQUIREMENTS
        declared = _read_pyproject(pyproject) if pyproject.is_file() else None
        if declared is not None and requirements.is_file():
            raise DependenciesInvalidError(
                f"{folder} declares dependencies twice, in {PYPROJECT} and in {REQUIREMENTS}."
                f" Say which with --deps-from {PYPROJECT} or --deps-from {REQUIREMENTS},"
                " or list them with --dep."
            )
        if declared is not None:
            return Dependencies(requirements=declared, origin=pyproject)
        if requirements.is_file():
            return Dependencies(requirements=read_requirements(requirements), origin=requirements)
    return Dependencies(requirements=[])


def read_dependencies(path: Path) -> Dependencies:
    """Return the dependencies of a file that was named: ``pyproject.toml``, or a requirements file.

    Raises:
        DependenciesInvalidError: the file is not there, or declares none.
    """
    if not path.is_file():
        raise DependenciesInvalidError(f"There is no file {path}.")
    if path.suffix != ".toml":
        return Dependencies(requirements=read_requirements(path), origin=path)
    declared = _read_pyproject(path)
    if declared is None:
        raise DependenciesInvalidError(f"{path} has no [project] dependencies.")
    return Dependencies(requirements=declared, origin=path)


def folders_up(start: Path, root: Path) -> Iterator[Path]:
    """Yield a folder, its parent and so on up to the root; only the root where the folder is not under it."""
    folder, root = start.resolve(), root.resolve()
    if folder != root and root not in folder.parents:
        folder = root
    while folder != root:
        yield folder
        folder = folder.parent
    yield root


def _read_pyproject(path: Path) -> list[str] | None:
    """Return ``[project.dependencies]``, or nothing where the file declares none itself."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (ValueError, OSError) as exc:
        raise DependenciesInvalidError(f"{path} cannot be read: {exc}") from exc
    try:
        project = msgspec.convert(content.get("project", {}), _Project)
    except msgspec.ValidationError as exc:
        raise DependenciesInvalidError(f"[project] of {path} is not valid: {exc}") from exc
    return project.dependencies


class _Project(msgspec.Struct, frozen=True, kw_only=True):
    """The part of ``[project]`` that is read here. Dynamic dependencies are declared elsewhere."""

    dependencies: list[str] | None = None
