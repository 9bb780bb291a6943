from __future__ import annotations

import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from control_stub import ControlStub, control_stub
from runner_process import Runs, unpack_runner


@pytest.fixture(autouse=True)
def _temporary_files_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what a result keeps on disk go with the test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture(scope="session")
def runner_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner as a run gets it: unpacked from its zip."""
    return unpack_runner(tmp_path_factory.mktemp("package"))


@pytest.fixture
def control() -> Generator[ControlStub]:
    """A control plane that listens."""
    with control_stub() as stub:
        yield stub


@pytest.fixture
def runs(control: ControlStub, runner_package: Path, tmp_path: Path) -> Runs:
    """Runs in an empty folder."""
    folder = tmp_path / "source"
    folder.mkdir()
    return Runs(control=control, package=runner_package, folder=folder)
