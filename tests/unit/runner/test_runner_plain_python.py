"""A run sees what plain Python would show it: the same script, side by side."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest
from runner_process import Runs, file, function, module

LOOK = """
import json, sys, os
import __main__
print(json.dumps({
    "argv": sys.argv, "name": __name__, "file": __file__, "package": __package__, "first": sys.path[0],
    "spec": __spec__ and __spec__.name, "cached": bool(globals().get("__cached__")), "doc": __doc__,
    "main": __main__.__dict__ is globals(), "cwd": os.getcwd(), "rest": sys.path[1:],
    "builtins": __builtins__.__name__, "loader": type(__loader__).__name__,
}))
"""


def plain(runs: Runs, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run plain Python in the run's folder, with the folder on its path as Ray has it."""
    environ = {**os.environ, "PYTHONPATH": f"{runs.package}{os.pathsep}{runs.folder}"}
    return subprocess.run(
        [runs.python, *arguments], cwd=runs.folder, env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("entrypoint", "arguments"),
    [
        (file("main.py", "a", "--b"), ("main.py", "a", "--b")),
        (file("jobs/main.py"), ("jobs/main.py",)),
        (module("main", "a"), ("-m", "main", "a")),
        (module("jobs.main"), ("-m", "jobs.main")),
        (module("jobs", "x"), ("-m", "jobs", "x")),
    ],
)
def test_the_surroundings_are_plain_pythons(
    runs: Runs, entrypoint: dict[str, Any], arguments: tuple[str, ...]
) -> None:
    runs.write({"main.py": LOOK, "jobs/main.py": LOOK, "jobs/__main__.py": LOOK, "jobs/__init__.py": ""})

    ours = json.loads(runs.run(entrypoint).stdout)

    assert ours == json.loads(plain(runs, *arguments).stdout)


@pytest.mark.parametrize(
    "source",
    [
        "def f(n):\n    return 1 / n\nf(0)\n",
        "import jobs.broken\n",
        "def f(:\n",
        "raise ExceptionGroup('two', [ValueError('a'), KeyError('b')])\n",
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise RuntimeError('later') from error\n",
        "import sys\nsys.excepthook = lambda kind, *_: print(kind.__name__, file=sys.stderr)\n1 / 0\n",
        "import sys\nsys.excepthook = None\n1 / 0\n",
        "error = ValueError('noted')\nerror.add_note('a note')\nraise error\n",
    ],
)
def test_tracebacks_are_plain_pythons(runs: Runs, source: str) -> None:
    runs.write({"main.py": source, "jobs/broken.py": "x = 1\nx.nothing\n"})

    done = runs.run(file("main.py"))

    expected = plain(runs, "main.py")
    assert (done.stderr, done.returncode) == (expected.stderr, expected.returncode)


def test_a_function_imports_from_the_root_and_from_beside_its_file(runs: Runs) -> None:
    runs.write(
        {
            "jobs/etl.py": "import beside, shared.root\n"
            "def main(): return [__name__, beside.NAME, shared.root.NAME]\n",
            "jobs/beside.py": "NAME = __name__\n",
            "shared/root.py": "NAME = __name__\n",
        }
    )

    runs.run(function("jobs/etl.py", "main"))

    assert runs.control.result["value"] == ["jobs.etl", "beside", "shared.root"]


@pytest.mark.parametrize(
    "path", ["jobs/2024-report.py", "my job.py", "logging.py", "daftray/flow.py", "class.py"]
)
def test_a_file_without_a_name_of_its_own_is_given_one(runs: Runs, path: str) -> None:
    source = """
import dataclasses, importlib, pickle, sys
@dataclasses.dataclass
class Point:
    x: "int"
def main():
    module = sys.modules[__name__]
    again = importlib.import_module(__name__)
    return [module is again, pickle.loads(pickle.dumps(Point(3))).x, __file__]
"""
    runs.write({path: source})

    runs.run(function(path, "main"))

    assert runs.control.result["value"] == [True, 3, str(runs.folder / path)]


def test_functions_of_main_pickle_by_value(runs: Runs) -> None:
    """What Ray and Daft do with a script's own functions: another process has another ``__main__``."""
    load = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb'))(20))"
    source = f"""
import subprocess, sys
from ray import cloudpickle
factor = 2
def double(n): return n * factor
with open("f.pickle", "wb") as out: cloudpickle.dump(double, out)
print(subprocess.run([sys.executable, "-c", {load!r}, "f.pickle"], capture_output=True, text=True).stdout)
"""
    runs.write({"main.py": source})

    assert runs.run(file("main.py")).stdout.strip() == "40"


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_multiprocessing_works_and_counts_once_per_process(runs: Runs, method: str) -> None:
    source = """
import multiprocessing, sys, daftray
def work(n):
    daftray.increment("work")
    return n + 1
if __name__ == "__main__":
    daftray.increment("before")
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(2) as pool:
        print(pool.map(work, range(6)))
        pool.close()
        pool.join()
    process = context.Process(target=work, args=(1,))
    process.start()
    process.join()
"""
    runs.write({"main.py": source})

    done = runs.run(file("main.py", method))

    assert (done.stdout, done.stderr, done.returncode) == ("[1, 2, 3, 4, 5, 6]\n", "", 0)
    assert runs.control.total("daftray.user.work") == 7
    assert runs.control.total("daftray.user.before") == 1
    assert len(runs.control.ending("/finished")) == 1


SHADOWS = (
    "types",
    "logging",
    "json",
    "queue",
    "threading",
    "http",
    "re",
    "enum",
    "inspect",
    "secrets",
    "select",
)


def test_the_users_modules_keep_their_names_and_ours_load_all_the_same(runs: Runs) -> None:
    """Their ``json.py`` is ``json`` to them, and nothing of it reaches the runner."""
    runs.write({f"{name}.py": "MINE = __name__\n" for name in SHADOWS})
    runs.write({"main.py": "import queue, types\nprint(queue.MINE, types.MINE)\n"})

    done = runs.run(file("main.py"))

    assert (done.stdout, done.stderr) == ("queue types\n", "")
    assert runs.control.finished["outcome"] == "returned"


def test_results_and_failures_are_told_under_shadowing_modules(runs: Runs) -> None:
    runs.write(
        {f"{name}.py": "MINE = __name__\n" for name in ("tokenize", "decimal", "uuid", "tempfile", "difflib")}
    )
    runs.write({"main.py": "import daftray\ndaftray.set_result({'a': (1, 2)})\n", "bad.py": "1 / 0\n"})

    runs.run(file("main.py"))
    assert runs.control.result["value"] == {"a": [1, 2]}
    runs.control.requests.clear()
    runs.run(file("bad.py"))

    assert runs.control.finished["exception"]["frames"][0]["code"] == "1 / 0"


def test_a_daftray_of_the_users_own_is_joined_to_ours(runs: Runs) -> None:
    """Such as an installed daftray: its other modules are found, and ours are ours."""
    source = "import daftray, daftray.client\ndaftray.increment('x')\nprint(daftray.client.NAME)\n"
    runs.write(
        {
            "main.py": source,
            "daftray/__init__.py": "raise RuntimeError('not this one')\n",
            "daftray/client.py": "NAME = __name__\n",
            "daftray/runner/__init__.py": "raise RuntimeError('not this one')\n",
            "_daftray_boot.py": "raise RuntimeError('not this one')\n",
        }
    )

    done = runs.run(file("main.py"))

    assert (done.stdout, done.stderr) == ("daftray.client\n", "")
    assert runs.control.total("daftray.user.x") == 1


def test_another_sitecustomize_runs_too(runs: Runs) -> None:
    runs.write(
        {
            "sitecustomize.py": "import sys\nsys.theirs = __name__, __file__\n",
            "main.py": "import sys, sitecustomize as s\nprint(sys.theirs == ('sitecustomize', s.__file__))\n",
        }
    )

    assert runs.run(file("main.py")).stdout == "True\n"
    for process in ({}, {"DAFTRAY_PROCESS": "child"}, {"DAFTRAY_PROCESS": "worker"}):
        out, _ = runs.start("main.py", **process).communicate(timeout=30)
        assert out == "True\n"


def test_a_broken_sitecustomize_breaks_nothing_of_ours(runs: Runs) -> None:
    runs.write({"sitecustomize.py": "1 / 0\n", "main.py": "import daftray\ndaftray.increment('x')\n"})

    done = runs.run(file("main.py"))

    assert done.returncode == 0
    assert done.stderr == plain(runs, "-c", "pass").stderr
    assert runs.control.total("daftray.user.x") == 1
