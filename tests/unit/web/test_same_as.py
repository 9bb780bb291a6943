"""What a form asks for as a command, as code and over HTTP: each says the same, whatever is in it."""

from __future__ import annotations

import ast
import json
import shlex
from typing import Any, Self

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from posix_words import words_of

from daftray.client import run_request
from daftray.domain.spec import (
    Budget,
    Entrypoint,
    Environment,
    FileEntrypoint,
    FunctionEntrypoint,
    GitSource,
    ModuleEntrypoint,
    Resources,
    Retries,
    RunRequest,
    Source,
)
from daftray.domain.status import FailureReason
from daftray.web.same_as import same_as
from daftray.web.same_call import Call, said_by, said_in

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
WORD = st.text(alphabet="abcdefgh_", min_size=1)
VALUES = st.one_of(TEXT, st.integers(), st.booleans(), st.none(), st.lists(TEXT), st.dictionaries(TEXT, TEXT))
ENTRYPOINTS = st.one_of(
    st.builds(FileEntrypoint, file_path=TEXT.filter(bool), argv=st.none() | st.lists(TEXT)).map(
        lambda part: Entrypoint(file=part)
    ),
    st.builds(ModuleEntrypoint, module=TEXT.filter(bool), argv=st.none() | st.lists(TEXT)).map(
        lambda part: Entrypoint(module=part)
    ),
    st.builds(
        FunctionEntrypoint,
        module=TEXT.filter(bool),
        symbol=TEXT.filter(bool),
        args=st.none() | st.lists(VALUES),
        kwargs=st.none() | st.dictionaries(WORD, VALUES),
    ).map(lambda part: Entrypoint(function=part)),
)
REQUESTS = st.builds(
    RunRequest,
    entrypoint=ENTRYPOINTS,
    source=st.builds(GitSource, remote=TEXT, ref=st.none() | TEXT).map(lambda git: Source(git=git)),
    environment=st.builds(
        Environment,
        python_version=TEXT,
        dependencies=st.lists(TEXT),
        environment_variables=st.none() | st.dictionaries(WORD, TEXT),
    ),
    name=st.none() | TEXT,
    labels=st.dictionaries(TEXT, TEXT),
    priority=st.integers(min_value=-100, max_value=100),
    timeout_s=st.none() | st.floats(min_value=0.5, max_value=1e6),
    retries=st.none() | st.just(Retries(max=2, on=(FailureReason.KILLED,), backoff=2.5)),
    budget=st.none() | st.just(Budget(tokens=5, usd=0.5)),
    resources=st.none() | st.just(Resources(memory=1 << 30)),
    secrets=st.none() | st.dictionaries(WORD, st.just("hidden-value")),
)


def call_of(request: RunRequest, **more: Any) -> Call:  # any field of a call
    given: dict[str, Any] = {
        "kind": "create",
        "server": "http://here",
        "workspace": "default",
        "project": "demo",
        "branch": "main",
        "fields": said_in(request),
        "secrets": tuple(request.secrets or ()),
    }
    return Call(**{**given, **more})


@settings(max_examples=25)
@given(REQUESTS)
def test_what_is_said_asks_for_the_same(request: RunRequest) -> None:
    said = msgspec.convert(said_in(request), RunRequest)
    plain = replace(said, secrets=request.secrets)
    assert _settled(plain) == _settled(request)


@settings(max_examples=25)
@given(REQUESTS)
def test_each_can_be_pasted(request: RunRequest) -> None:
    same = same_as(call_of(request))
    words = words_of(same.command.text)
    assert words[:4] == ["daftray", "run", "--project", "demo"]
    for name, value in (request.environment.environment_variables or {}).items():
        assert f"{name}={value}" in words
    ast.parse(same.code.text)
    http = words_of(same.http.text)
    body = json.loads(http[-1])
    assert body.pop("secrets", {}).keys() == (request.secrets or {}).keys()
    assert body == json.loads(msgspec.json.encode(said_in(request)))
    for said in (same.command, same.code, same.http):
        assert "hidden-value" not in said.text + "".join(said.notes)


@settings(max_examples=25)
@given(REQUESTS)
def test_the_code_makes_the_same_request(request: RunRequest) -> None:
    """Run it, with a client that keeps what it is given in place of the real one."""
    made: list[RunRequest] = []

    class Kept:
        def __init__(self, **place: str) -> None:
            assert place == {"project": "demo"}
            self.runs = self
            self.id = ""

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def create(self, *args: Any, **keywords: Any) -> Kept:
            made.append(run_request(*args, **keywords))
            return self

    without = replace(request, secrets=None)
    code = same_as(call_of(without)).code.text.replace("from daftray import Client\n", "")
    exec(code, {"Client": Kept})  # noqa: S102 (that it can be run is the claim)
    assert _settled(made[0]) == _settled(without)


def _settled(request: RunRequest) -> RunRequest:
    """Return a request without the ways in which nothing can be said twice."""
    entrypoint = request.entrypoint
    if entrypoint.file:
        entrypoint = Entrypoint(file=replace(entrypoint.file, argv=entrypoint.file.argv or None))
    elif entrypoint.module:
        entrypoint = Entrypoint(module=replace(entrypoint.module, argv=entrypoint.module.argv or None))
    elif function := entrypoint.function:
        plain = replace(function, args=function.args or None, kwargs=function.kwargs or None)
        entrypoint = Entrypoint(function=plain)
    git = replace(request.source.git or GitSource(), ref=(request.source.git or GitSource()).ref or None)
    variables = request.environment.environment_variables or None
    return replace(
        request,
        entrypoint=entrypoint,
        source=Source() if git == GitSource() else Source(git=git),
        environment=replace(request.environment, environment_variables=variables),
        name=request.name or None,
    )


@pytest.mark.parametrize(
    ("kind", "overrides", "command", "code"),
    [
        (
            "rerun",
            {"name": "b", "budget": None, "timeout_s": None},
            "daftray runs rerun --project demo --timeout none --name b --budget none run_1",
            "name='b'",
        ),
        ("rerun", {"entrypoint": {"file": {"file_path": "a.py"}}}, "rerun", "FileEntrypoint("),
        (
            "start",
            {"entrypoint": {"file": {"file_path": "a.py", "argv": ["--x", "a b"]}}, "retries": None},
            "daftray tasks start --project demo --retries 0 run_1 --x 'a b'",
            "tasks.start(",
        ),
    ],
)
def test_overrides_are_said_as_far_as_they_can(
    kind: str, overrides: dict[str, Any], command: str, code: str
) -> None:
    given = call_of(RunRequest(entrypoint=Entrypoint()), kind=kind, target="run_1", fields=said_by(overrides))
    same = same_as(given)
    assert command in " ".join(map(shlex.quote, words_of(same.command.text)))
    assert code in same.code.text
    ast.parse(same.code.text)
    assert json.loads(words_of(same.http.text)[-1]) == said_by(overrides)
    told = "no options for entrypoint" in "".join(same.command.notes)
    assert told is (kind == "rerun" and "entrypoint" in overrides)


def test_another_workspace_and_names_with_slashes_are_named() -> None:
    request = RunRequest(entrypoint=Entrypoint(file=FileEntrypoint(file_path="a.py")))
    same = same_as(call_of(request, workspace="a/b", project="p q"))
    assert "--workspace a/b" in same.command.text
    assert "Client(project='p q', workspace='a/b')" in same.code.text
    assert "/v1/workspaces/a%2Fb/projects/p%20q/runs" in same.http.text
