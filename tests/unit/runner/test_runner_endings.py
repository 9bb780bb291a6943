"""Three kinds of entrypoints, and every way in which they end."""

from __future__ import annotations

from typing import Any

import pytest
from runner_process import Runs, file, function, module

GOOD = "def main():\n    print('hello')\n\nmain()\n"
RAISES = """
def inner(x):
    raise ValueError("bad value")

def main():
    inner(3)

main()
"""
EXITS = "import sys\n\ndef main():\n    sys.exit(3)\n\nmain()\n"
BROKEN = "x = 1\ndef main(:\n    pass\n"

KINDS = ("file", "module", "function")


def entrypoint(kind: str) -> dict[str, Any]:
    """Name what `write` wrote, as that kind."""
    if kind == "file":
        return file("jobs/etl.py")
    return module("jobs.etl") if kind == "module" else function("jobs/etl.py", "main")


def write(runs: Runs, kind: str, text: str) -> None:
    """Write a program; a function's is only defined, not called."""
    if kind == "function" and text.endswith("\nmain()\n"):
        text = text.removesuffix("\nmain()\n")
    runs.write({"jobs/etl.py": text})


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_one_returns(runs: Runs, kind: str) -> None:
    write(runs, kind, GOOD)

    done = runs.run(entrypoint(kind))

    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")
    finished = runs.control.finished
    assert (finished["outcome"], finished["exit_code"], finished["attempt"]) == ("returned", 0, 1)
    assert finished["exception"] is None
    assert runs.control.requests[0].path.endswith("/started")
    assert runs.control.requests[-1].path.endswith("/finished")
    assert {request.authorization for request in runs.control.requests} == {"Bearer run-token"}


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_is_told_with_the_users_frames(runs: Runs, kind: str) -> None:
    write(runs, kind, RAISES)

    done = runs.run(entrypoint(kind))

    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert done.stderr.endswith("ValueError: bad value\n")
    assert "daftray" not in done.stderr
    finished = runs.control.finished
    assert (finished["outcome"], finished["exit_code"]) == ("raised", 1)
    assert finished["exception"]["type"] == "ValueError"
    assert finished["exception"]["message"] == "bad value"
    frames = finished["exception"]["frames"]
    assert {(frame["file"], frame["user"]) for frame in frames} == {("jobs/etl.py", True)}
    assert [(frame["function"], frame["line"], frame["code"]) for frame in frames[-2:]] == [
        ("main", 6, "inner(3)"),
        ("inner", 3, 'raise ValueError("bad value")'),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_sys_exit_keeps_its_code(runs: Runs, kind: str) -> None:
    write(runs, kind, EXITS)

    done = runs.run(entrypoint(kind))

    assert (done.returncode, done.stderr) == (3, "")
    assert (runs.control.finished["outcome"], runs.control.finished["exit_code"]) == ("exited", 3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_syntax_error_is_the_users_and_has_its_line(runs: Runs, kind: str) -> None:
    write(runs, kind, BROKEN)

    done = runs.run(entrypoint(kind))

    assert done.returncode == 1
    assert "SyntaxError" in done.stderr
    exception = runs.control.finished["exception"]
    assert (runs.control.finished["outcome"], exception["type"]) == ("raised", "SyntaxError")
    assert exception["frames"][-1] == {
        "file": "jobs/etl.py",
        "line": 2,
        "function": "<module>",
        "user": True,
        "code": "def main(:",
    }


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        (file("jobs/elt.py"), "There is no file jobs/elt.py in the run's source. Did you mean jobs/etl.py?"),
        (file("etl.py"), "There is no file etl.py in the run's source. Did you mean jobs/etl.py?"),
        (file("jobs"), "jobs is a folder. Name a .py file in it, or run it as a module."),
        (module("jobs.elt"), "There is no module jobs.elt in jobs. Did you mean jobs.etl?"),
        (module("job"), "There is no module job in the run's source or its environment. Did you mean jobs?"),
        (module("jobs"), "jobs is a package without a __main__ module, so it cannot be run."),
        (module("jobs.etl.deep"), "There is no module jobs.etl.deep in jobs.etl."),
        (module(""), "There is no module  in the run's source or its environment."),
        (function("jobs/elt.py", "main"), "There is no file jobs/elt.py in the run's source."),
        (function("jobs.elt", "main"), "There is no module jobs.elt in jobs. Did you mean jobs.etl?"),
        (function("jobs/etl.py", "mian"), "There is no function mian in jobs/etl.py. Did you mean main?"),
        (
            function("jobs.etl", "Job.rnu"),
            "There is no function rnu (of Job.rnu) in jobs.etl:Job. Did you mean run?",
        ),
        (function("jobs.etl", "Job.start"), "Job.start in jobs.etl needs an object to be called on."),
        (function("jobs.etl", "limit"), "limit in jobs.etl is not a function: it is of type int."),
    ],
)
def test_what_is_missing_is_told_with_what_is_there(runs: Runs, missing: dict[str, Any], says: str) -> None:
    source = """
limit = 3
def main(): ...
class Job:
    @staticmethod
    def run(): ...
    def start(self): ...
"""
    runs.write({"jobs/__init__.py": "", "jobs/etl.py": source})

    done = runs.run(missing)

    finished = runs.control.finished
    assert finished["detail"].startswith(says)
    assert (finished["outcome"], finished["exit_code"], done.returncode) == ("entrypoint_not_found", 2, 2)
    assert done.stderr == f"daftray: {finished['detail']}\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_module_that_the_users_own_code_lacks_is_the_users_error(runs: Runs, kind: str) -> None:
    write(runs, kind, "import jobs.absent\n")

    done = runs.run(entrypoint(kind))

    assert (runs.control.finished["outcome"], done.returncode) == ("raised", 1)
    assert runs.control.finished["exception"]["type"] == "ModuleNotFoundError"


@pytest.mark.parametrize("kind", ["module", "function"])
def test_a_module_that_a_package_above_lacks_is_the_users_error(runs: Runs, kind: str) -> None:
    runs.write({"jobs/__init__.py": "import jobs.etl_absent\n", "jobs/etl.py": "def main(): ...\n"})

    runs.run(entrypoint(kind))

    assert runs.control.finished["outcome"] == "raised"


def test_every_bad_argument_is_told(runs: Runs) -> None:
    runs.write({"etl.py": "def main(count: int, ratio: float, *, name: str): ...\n"})

    done = runs.run(function("etl.py", "main", "three", ratio="half", nmae="x"))

    finished = runs.control.finished
    assert (finished["outcome"], finished["exit_code"], done.returncode) == ("arguments_invalid", 2, 2)
    assert finished["detail"].splitlines() == [
        "The arguments do not fit main(count: int, ratio: float, *, name: str):",
        "  count: input should be a valid integer, unable to parse string as an integer",
        "  ratio: input should be a valid number, unable to parse string as a number",
        "  nmae: there is no such parameter. Did you mean name?",
        "  name: missing",
    ]


@pytest.mark.parametrize(
    ("call", "code", "detail"),
    [
        ("sys.exit()", 0, None),
        ("sys.exit(None)", 0, None),
        ("sys.exit(0)", 0, None),
        ("sys.exit(True)", 1, None),
        ("sys.exit(-1)", 255, None),
        ("sys.exit(256)", 0, None),
        ("sys.exit('no more')", 1, "no more"),
        ("sys.exit(['a'])", 1, "['a']"),
        ("raise SystemExit", 0, None),
    ],
)
def test_exit_codes_are_pythons(runs: Runs, call: str, code: int, detail: str | None) -> None:
    runs.write({"main.py": f"import sys\n{call}\n"})

    done = runs.run(file("main.py"))

    assert (done.returncode, done.stderr) == (code, f"{detail}\n" if detail else "")
    finished = runs.control.finished
    assert (finished["outcome"], finished["exit_code"], finished["detail"]) == ("exited", code, detail)


def test_an_interrupt_ends_the_process_as_python_does(runs: Runs) -> None:
    runs.write({"main.py": "raise KeyboardInterrupt\n"})

    done = runs.run(file("main.py"))

    assert done.returncode == -2
    assert (runs.control.finished["outcome"], runs.control.finished["exit_code"]) == ("raised", 130)


def test_threads_and_exit_handlers_end_before_the_last_word(runs: Runs) -> None:
    source = """
import atexit, threading, time, daftray

def late():
    time.sleep(0.2)
    daftray.increment("late")

atexit.register(lambda: daftray.increment("later"))
threading.Thread(target=late).start()
"""
    runs.write({"main.py": source})

    runs.run(file("main.py"))

    assert runs.control.requests[-1].path.endswith("/finished")
    assert runs.control.total("daftray.user.late") == 1
    assert runs.control.total("daftray.user.later") == 1


def test_a_termination_ends_the_process_as_it_does_plain_python(runs: Runs) -> None:
    """The control plane knows by itself that it stopped the run; nothing delays the end."""
    runs.write({"main.py": "import time\nprint('ready', flush=True)\ntime.sleep(60)\n"})
    runs.control.entrypoint = file("main.py")
    process = runs.start("-P", "-m", "_daftray_boot")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    process.terminate()

    _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (-15, "")
    assert runs.control.ending("/finished") == []


def test_text_that_is_no_unicode_arrives(runs: Runs) -> None:
    source = "import daftray\ndaftray.increment('n', name='a\\udcff')\nraise ValueError('b\\udcff')\n"
    runs.write({"main.py": source})

    runs.run(file("main.py"))

    assert runs.control.finished["exception"]["message"] == "b?"
    assert runs.control.total("daftray.user.n", {"name": "a?"}) == 1


def test_frames_are_named_from_where_the_run_began(runs: Runs) -> None:
    runs.write({"main.py": "import os\nos.chdir('/')\n1 / 0\n"})

    runs.run(file("main.py"))

    (frame,) = runs.control.finished["exception"]["frames"]
    assert (frame["file"], frame["user"], frame["code"]) == ("main.py", True, "1 / 0")
