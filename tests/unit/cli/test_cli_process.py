"""The command line as processes of their own: at a terminal, interrupted, and with closed pipes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from git_repos import GitRepo, make_repo
from msgspec.structs import replace
from small_api import PROJECTS, SmallApi
from small_server import Answer, Asked, as_json
from terminal import daftray_at_a_terminal, scrubbed_environ

from daftray.domain.project import GitRemote, ProjectSource
from daftray.domain.status import RunPhase, RunStatus

ROOT = Path(__file__).parents[3]
FIRST_LINE = 'event: log\nid: 6\ndata: {"timestamp": "2030-01-31T10:30:01.123456Z", "message": "hello"}\n\n'


@pytest.fixture
def work(tmp_path: Path, api: SmallApi) -> GitRepo:
    origin = make_repo(tmp_path / "origin")
    api.project = replace(api.project, source=ProjectSource(git=GitRemote(remote=origin.url)))
    return origin.clone(tmp_path / "work")


@pytest.fixture
def running(api: SmallApi) -> Iterator[threading.Event]:
    """Let the run go on until it is cancelled or the test is over."""
    ended, cancelled = api.ended, replace(api.ended, status=RunStatus.CANCELLED)
    api.ended = replace(ended, status=RunStatus.RUNNING, phase=RunPhase.RUNNING, completed_at=None)
    over = threading.Event()

    def tail(asked: Asked) -> Answer:
        text = FIRST_LINE if asked.query["from"] == "0" else ""
        if over.is_set():
            text += 'event: end\ndata: {"status": "cancelled"}\n\n'
        return Answer(text.encode(), kind="text/event-stream", streamed=True, held=over)

    def cancel(_: Asked) -> Answer:
        api.ended = cancelled
        over.set()
        return as_json({"run": cancelled})

    api.server.on(f"GET {api.run}/logs/tail", tail)
    api.server.on(f"POST {api.run}/cancel", cancel)
    yield over
    over.set()


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(("answer", "cancels"), [("y\n", 1), ("n\n", 0), ("\n", 0)])
def test_ctrl_c_asks_whether_to_cancel(
    work: GitRepo, api: SmallApi, environ: dict[str, str], answer: str, cancels: int
) -> None:
    with daftray_at_a_terminal("run", "main.py", cwd=work.path, environ=environ) as terminal:
        assert terminal.read_line() == "hello\n"
        terminal.interrupt()
        terminal.wait_for("Cancel it now?")
        assert "daftray runs cancel run_1" in terminal.seen
        terminal.type(answer)
        code, out = terminal.end()

    assert (code, out) == (130, "")
    assert len(api.server.requests(f"POST {api.run}/cancel")) == cancels
    assert ("run_1 cancelled" in terminal.seen) == bool(cancels)
    assert "Traceback" not in terminal.seen


@pytest.mark.usefixtures("running")
def test_ctrl_c_twice_quits(work: GitRepo, api: SmallApi, environ: dict[str, str]) -> None:
    with daftray_at_a_terminal("run", "main.py", cwd=work.path, environ=environ) as terminal:
        assert terminal.read_line() == "hello\n"
        terminal.interrupt()
        terminal.wait_for("Cancel it now?")
        terminal.interrupt()
        code, _ = terminal.end()

    assert code == 130
    assert api.server.requests(f"POST {api.run}/cancel") == []
    assert "Traceback" not in terminal.seen


@pytest.mark.parametrize("answer", ["y\n", "n\n"])
def test_a_dirty_tree_is_asked_about(
    work: GitRepo, api: SmallApi, environ: dict[str, str], answer: str
) -> None:
    work.write({"new.py": "pass\n"})
    with daftray_at_a_terminal("run", "--detach", "main.py", cwd=work.path, environ=environ) as terminal:
        terminal.wait_for("Send exactly what is on disk?")
        terminal.type(answer)
        code, out = terminal.end()

    if answer == "y\n":
        assert (code, out) == (0, "run_1\n")
        assert "new.py" in api.submitted["source"]["git"]["patch"]
    else:
        assert (code, out) == (2, "")
        assert api.server.requests(f"POST {api.runs}") == []


def test_a_project_is_offered(work: GitRepo, api: SmallApi, environ: dict[str, str]) -> None:
    api.server.on(f"GET {PROJECTS}", as_json({"projects": []}))
    api.server.on(f"POST {PROJECTS}/origin/runs", as_json({"run": api.ended}))
    with daftray_at_a_terminal("run", "--detach", "main.py", cwd=work.path, environ=environ) as terminal:
        terminal.wait_for("Make project 'origin' of it (branch main)?")
        terminal.type("y\n")
        code, _ = terminal.end()

    assert code == 0
    assert len(api.server.requests(f"POST {PROJECTS}")) == 1


def test_a_secret_is_typed_unseen(tmp_path: Path, api: SmallApi, environ: dict[str, str]) -> None:
    api.server.on(f"PUT {PROJECTS}/scoring/secrets/TOKEN", Answer(status=204))
    with daftray_at_a_terminal("secrets", "set", "TOKEN", cwd=tmp_path, environ=environ) as terminal:
        terminal.wait_for("Value of TOKEN")
        terminal.type("hidden-value\n")
        code, out = terminal.end()

    assert (code, out) == (0, "")
    assert "hidden" not in terminal.seen
    (asked,) = api.server.requests(f"PUT {PROJECTS}/scoring/secrets/TOKEN")
    assert asked.json == {"value": "hidden-value"}


@pytest.mark.parametrize(("columns", "last"), [("80", "CREATED"), ("100", "NAME"), ("140", "TOKENS")])
def test_a_table_fits_the_terminal_and_keeps_ids_whole(
    tmp_path: Path, api: SmallApi, environ: dict[str, str], columns: str, last: str
) -> None:
    run_id = "run_01m86dyysvwp8hd758z4v5vkez"
    run = replace(api.ended, id=run_id, name="[bold]a name[/bold] that is longer than any column can be")
    api.server.on(f"GET {api.runs}", as_json({"runs": [run]}))
    environ = {**environ, "COLUMNS": columns, "TERM": "xterm"}
    with daftray_at_a_terminal("runs", "list", cwd=tmp_path, environ=environ, stdout_too=True) as terminal:
        code, _ = terminal.end()

    plain = re.sub(r"\x1b\[[0-9;]*m", "", terminal.seen)
    lines = [line.rstrip() for line in plain.splitlines()]
    assert code == 0
    assert all(len(line) <= int(columns) for line in lines)
    assert lines[0].split()[-1] == last
    assert any(run_id in line and "2026-11-01 12:00:00Z" in line for line in lines)
    assert ("[bold]" in terminal.seen) == (last != "CREATED")


def daftray(*words: str, cwd: Path, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "daftray", *words],
        cwd=cwd,
        env={**scrubbed_environ(), **environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.usefixtures("running")
def test_ctrl_c_where_nobody_can_answer_says_how_to_cancel(
    work: GitRepo, api: SmallApi, environ: dict[str, str]
) -> None:
    with daftray("run", "main.py", cwd=work.path, environ=environ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"hello\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (130, b"")
    assert b"To cancel it: daftray runs cancel run_1" in err
    assert api.server.requests(f"POST {api.run}/cancel") == []


def test_a_reader_that_leaves_ends_the_printing_of_a_log(
    tmp_path: Path, api: SmallApi, environ: dict[str, str]
) -> None:
    log = b"line\n" * 200_000
    api.server.on(f"GET {api.run}/logs", Answer(log, status=200, kind="text/plain"))
    with daftray("runs", "logs", "run_1", cwd=tmp_path, environ=environ) as process:
        assert process.stdout
        assert process.stdout.read(5) == b"line\n"
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate(timeout=60)

    assert process.returncode != 0
    assert err == b""


def test_a_program_reads_json_from_a_pipe(tmp_path: Path, api: SmallApi, environ: dict[str, str]) -> None:
    with daftray("runs", "get", "run_1", "--json", cwd=tmp_path, environ=environ) as process:
        out, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (0, b"")
    assert json.loads(out)["id"] == "run_1"
    assert api.server.asked[-1].headers["authorization"] == "Bearer key"


def test_help_loads_nothing_that_takes_long() -> None:
    program = (
        "import json, sys\n"
        "from daftray.cli.app import app\n"
        "try: app(['run', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.stderr.write(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, timeout=60
    )

    heavy = {"asyncio", "git", "httpx", "litestar", "packaging", "ray", "rich", "sqlalchemy"}
    assert not heavy & set(json.loads(done.stderr))
