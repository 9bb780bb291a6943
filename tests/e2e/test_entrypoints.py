"""Three kinds of entrypoints, that succeed, raise, exit, are no Python, are not there, or are misused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from e2e_files import FUNCTIONS, PROGRAM
from e2e_platform import Platform

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.spec import Entrypoint, FileEntrypoint, FunctionEntrypoint, ModuleEntrypoint
from daftray.domain.status import FailureReason, RunStatus

pytestmark = pytest.mark.ray

FAILED, SUCCEEDED = RunStatus.FAILED, RunStatus.SUCCEEDED
USER, MISSING, ARGUMENTS = (
    FailureReason.USER_ERROR,
    FailureReason.ENTRYPOINT_NOT_FOUND,
    FailureReason.ARGUMENTS_INVALID,
)


def file(path: str, *argv: str) -> Entrypoint:
    return Entrypoint(file=FileEntrypoint(file_path=path, argv=list(argv)))


def module(name: str, *argv: str) -> Entrypoint:
    return Entrypoint(module=ModuleEntrypoint(module=name, argv=list(argv)))


def function(symbol: str, where: str = "ep/functions.py", **kwargs: object) -> Entrypoint:
    return Entrypoint(function=FunctionEntrypoint(module=where, symbol=symbol, kwargs=kwargs))


Expected = tuple[RunStatus, FailureReason | None, int | None, str | None, str | None]

CASES: dict[str, tuple[Entrypoint, Expected]] = {
    # name: (entrypoint, (status, reason, exit code, exception, function of its innermost user frame))
    "file succeeds": (file("ep/program.py", "--count", "3"), (SUCCEEDED, None, 0, None, None)),
    "file raises": (file("ep/program.py", "--raise"), (FAILED, USER, 1, "ValueError", "inner")),
    "file exits": (file("ep/program.py", "--exit"), (FAILED, USER, 3, None, None)),
    "file is no Python": (file("ep/broken.py"), (FAILED, USER, 1, "SyntaxError", None)),
    "file is missing": (file("ep/nowhere.py"), (FAILED, MISSING, 2, None, None)),
    "file is misused": (file("ep/program.py", "--count", "many"), (FAILED, USER, 2, None, None)),
    "module succeeds": (module("ep.program", "--count", "3"), (SUCCEEDED, None, 0, None, None)),
    "module raises": (module("ep.program", "--raise"), (FAILED, USER, 1, "ValueError", "inner")),
    "module exits": (module("ep.program", "--exit"), (FAILED, USER, 3, None, None)),
    "module is no Python": (module("ep.broken"), (FAILED, USER, 1, "SyntaxError", None)),
    "module is missing": (module("ep.nowhere"), (FAILED, MISSING, 2, None, None)),
    "module is misused": (module("ep.program", "--count", "many"), (FAILED, USER, 2, None, None)),
    "function succeeds": (function("double", count="21"), (SUCCEEDED, None, 0, None, None)),
    "function raises": (function("fail"), (FAILED, USER, 1, "ValueError", "inner")),
    "function exits": (function("leave"), (FAILED, USER, 3, None, None)),
    "function's file is no Python": (function("f", "ep/broken.py"), (FAILED, USER, 1, "SyntaxError", None)),
    "function is missing": (function("nothing"), (FAILED, MISSING, 2, None, None)),
    "function is misused": (function("double", count="many", more=1), (FAILED, ARGUMENTS, 2, None, None)),
    "async function in a module": (function("later", "ep.functions"), (SUCCEEDED, None, 0, None, None)),
}


@pytest.fixture(scope="module")
def runs(platform: Platform) -> dict[str, Run]:
    """Create them all at once, so that they share the cluster and not the clock."""
    commit = platform.repo.commit(
        {
            "ep/__init__.py": "",
            "ep/program.py": PROGRAM,
            "ep/functions.py": FUNCTIONS,
            "ep/broken.py": "def f(:\n",
        }
    )
    create = platform.client.runs.create
    return {name: create(entrypoint, hash=commit, name=name) for name, (entrypoint, _) in CASES.items()}


@pytest.mark.parametrize("name", CASES)
def test_each_ends_as_it_should(
    name: str, runs: dict[str, Run], client: Client, ended: Callable[[Run], Run]
) -> None:
    status, reason, exit_code, exception, innermost = CASES[name][1]
    run = ended(runs[name])
    assert (run.status, run.reason, run.exit_code) == (status, reason, exit_code)
    problems = client.runs.problems(run)
    assert [problem.type.rpartition(".")[2] for problem in problems] == ([exception] if exception else [])
    if innermost:
        frame = [frame for frame in problems[0].frames if frame.user][-1]
        assert frame.function.rpartition(".")[2] == innermost
        assert frame.file.startswith("ep/")
        assert "raise ValueError" in (frame.code or "")


def test_a_functions_result_is_kept(
    runs: dict[str, Run], client: Client, ended: Callable[[Run], Run]
) -> None:
    assert client.runs.result(ended(runs["function succeeds"])) == {"doubled": 42}
    assert client.runs.result(ended(runs["async function in a module"])) == "later"


def test_every_bad_argument_is_listed(runs: dict[str, Run], ended: Callable[[Run], Run]) -> None:
    detail = ended(runs["function is misused"]).reason_detail or ""
    assert "count" in detail
    assert "more" in detail


def test_a_program_finds_itself_as_python_would_have_it(
    runs: dict[str, Run], client: Client, ended: Callable[[Run], Run]
) -> None:
    for name in ("file succeeds", "module succeeds"):
        log = client.runs.logs(ended(runs[name])).decode()
        assert "name=__main__ argv=['--count', '3'] file=program.py" in log
