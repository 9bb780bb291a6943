"""What a run may be asked to be, and what is refused with which path."""

from __future__ import annotations

import json
from itertools import product

import msgspec
import pytest
from factories import a_run

from daftray.domain.errors import InvalidInputError
from daftray.domain.project import GitRemote, ProjectSource
from daftray.domain.run import Run
from daftray.domain.spec import (
    DirectorySource,
    Entrypoint,
    FileEntrypoint,
    FunctionEntrypoint,
    GitSource,
    ModuleEntrypoint,
    RunRequest,
    RunSpec,
    Source,
)

FILE = FileEntrypoint(file_path="a.py")
MODULE = ModuleEntrypoint(module="a.b")
FUNCTION = FunctionEntrypoint(module="a.py", symbol="main")


def issues_of(spec: RunSpec) -> list[str]:
    try:
        spec.check()
    except InvalidInputError as error:
        return [issue.path for issue in error.issues]
    return []


@pytest.mark.parametrize(
    ("file", "module", "function"), [*product([None, FILE], [None, MODULE], [None, FUNCTION])]
)
def test_there_is_exactly_one_entrypoint(
    file: FileEntrypoint | None, module: ModuleEntrypoint | None, function: FunctionEntrypoint | None
) -> None:
    spec = RunSpec(entrypoint=Entrypoint(file=file, module=module, function=function))
    given = sum(part is not None for part in (file, module, function))
    assert issues_of(spec) == ([] if given == 1 else ["entrypoint"])


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        (Source(), []),
        (Source(git=GitSource()), []),
        (Source(git=GitSource(hash="abc")), []),
        (Source(git=GitSource(ref="main")), []),
        (Source(directory=DirectorySource(path="/srv")), []),
        (Source(git=GitSource(), directory=DirectorySource(path="/srv")), ["source"]),
        (Source(git=GitSource(hash="abc", ref="main")), ["source.git"]),
    ],
)
def test_the_source_is_one_commit_or_directory(source: Source, paths: list[str]) -> None:
    assert issues_of(RunSpec(entrypoint=Entrypoint(file=FILE), source=source)) == paths


def test_all_issues_come_at_once() -> None:
    source = Source(git=GitSource(), directory=DirectorySource(path="/srv"))
    assert issues_of(RunSpec(entrypoint=Entrypoint(), source=source)) == ["entrypoint", "source"]


@pytest.mark.parametrize(
    ("entrypoint", "label"),
    [
        (Entrypoint(file=FILE), "a.py"),
        (Entrypoint(module=MODULE), "-m a.b"),
        (Entrypoint(function=FUNCTION), "a.py:main"),
        (Entrypoint(), ""),
    ],
)
def test_an_entrypoint_has_a_short_name(entrypoint: Entrypoint, label: str) -> None:
    assert entrypoint.label == label


def test_an_entrypoint_is_one_tagged_key_on_the_wire() -> None:
    body = json.loads(msgspec.json.encode(Entrypoint(file=FILE)))
    assert body == {"file": {"file_path": "a.py", "argv": None}}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"entrypoint": {"file": {"file_path": ""}}}, "$.entrypoint.file.file_path"),
        ({"entrypoint": {"file": {"file_path": "a", "argv": [1]}}}, "$.entrypoint.file.argv[0]"),
        ({"entrypoint": {"file": {"file_path": "a"}}, "runner": "spark"}, "$.runner"),
        ({"entrypoint": {}, "resources": {"num_cpus": -1}}, "$.resources.num_cpus"),
        ({"entrypoint": {}, "secrets": {"a-b": "x"}}, "key` in `$.secrets"),
        ({"entrypoint": {}, "environment": {"environment_variables": {"1": ""}}}, "environment_variables"),
        ({}, "entrypoint"),
    ],
)
def test_a_wrong_type_is_refused_with_its_path(body: dict[str, object], path: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(json.dumps(body), type=RunRequest)
    assert path in str(caught.value)


def test_a_run_survives_the_wire() -> None:
    run = a_run(labels={"ä": "ö"})
    assert msgspec.json.decode(msgspec.json.encode(run), type=Run) == run


def test_a_project_source_is_its_remote_under_either_tag() -> None:
    remote = GitRemote(remote="https://git.example/a.git")
    assert ProjectSource(git=remote).remote == ProjectSource(github=remote).remote == remote
    with pytest.raises(InvalidInputError):
        assert ProjectSource().remote
