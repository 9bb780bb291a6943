"""The command that a page shows for a form, typed: it submits what the form asks for."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from posix_words import words_of
from shell import Shell
from small_api import SmallApi

from daftray.domain.spec import (
    Budget,
    Entrypoint,
    Environment,
    FileEntrypoint,
    FunctionEntrypoint,
    GitSource,
    ModuleEntrypoint,
    Retries,
    RunRequest,
    Source,
)
from daftray.domain.status import FailureReason
from daftray.web.same_as import same_as
from daftray.web.same_call import Call, said_in

ON_MAIN = Source(git=GitSource(ref="main"))
WITHOUT = Environment(python_version="3.12", dependencies=["daft>=0.7", "httpx[http2]; python_version>'3'"])


@pytest.mark.parametrize(
    "request_",
    [
        RunRequest(
            entrypoint=Entrypoint(
                file=FileEntrypoint(file_path="jobs/a b.py", argv=["--x", "", "-y", "--", "'\n$"])
            ),
            environment=WITHOUT,
            source=ON_MAIN,
        ),
        RunRequest(entrypoint=Entrypoint(file=FileEntrypoint(file_path="-x.py")), source=ON_MAIN),
        RunRequest(
            entrypoint=Entrypoint(module=ModuleEntrypoint(module="jobs.score", argv=["--name", "z"])),
            source=Source(git=GitSource(remote="https://git.example/x.git", ref="v1")),
            name="--odd name",
            labels={"team": "a=b", "empty": ""},
        ),
        RunRequest(
            entrypoint=Entrypoint(
                function=FunctionEntrypoint(
                    module="jobs.py",
                    symbol="Score.run",
                    args=["-1", "--not-an-option", "x"],
                    kwargs={"a_b": "--c", "d": "", "e": "two\nlines"},
                )
            ),
            source=Source(git=GitSource(hash="a" * 40)),
            runner="native",
            priority=-5,
            timeout_s=5400.5,
            start_timeout_s=90.0,
            queue_timeout_s=86400.0,
            retries=Retries(max=3, on=(FailureReason.KILLED, FailureReason.USER_ERROR), backoff=0.5),
            budget=Budget(tokens=2_000_000, usd=0.5),
            environment=Environment(
                python_version="3.12",
                dependencies=["daft"],
                environment_variables={"A": "x y'z", "B": "", "C": "-d"},
            ),
        ),
    ],
    ids=["file", "odd-file", "module", "function"],
)
def test_the_command_submits_what_the_form_asks(
    shell: Shell, api: SmallApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: RunRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    call = Call(
        kind="create",
        server="",
        workspace="default",
        project="scoring",
        branch="main",
        fields=said_in(request_),
    )
    words = words_of(same_as(call).command.text)
    assert words[:2] == ["daftray", "run"]
    assert shell.run("run", "--detach", *words[2:]) == 0, shell.err
    path = request_.entrypoint.file
    if path and path.file_path == "-x.py":
        assert "./-x.py" in words
    assert msgspec.convert(api.submitted, RunRequest) == request_


def test_secrets_and_the_projects_branch_are_named(
    shell: Shell, api: SmallApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secrets.env").write_text("TOKEN=long enough\n")
    request = RunRequest(entrypoint=Entrypoint(file=FileEntrypoint(file_path="a.py")))
    call = Call(
        kind="create",
        server="",
        workspace="default",
        project="scoring",
        branch="trunk",
        fields=said_in(request),
        secrets=("TOKEN",),
    )
    words = words_of(same_as(call).command.text)
    assert shell.run("run", "--detach", *words[2:]) == 0, shell.err
    assert api.submitted["source"]["git"]["ref"] == "trunk"
    assert api.submitted["secrets"] == {"TOKEN": "long enough"}
