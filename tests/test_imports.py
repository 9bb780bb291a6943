"""What importing daftray does: very little."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

SERVER_SIDE = {"litestar", "sqlalchemy", "pydantic", "ray", "daft"}
HEAVY = SERVER_SIDE | {"httpx", "msgspec", "rich", "typer", "git", "asyncio"}

WATCHED = """
import importlib, json, pkgutil, sys, threading
done = []
def watch(event, arguments):
    if event == "subprocess.Popen" and arguments[1] != ["git", "version"]:  # GitPython's own, at its import
        done.append(f"{event} {arguments[0]}")
    if event in {"socket.connect", "socket.bind", "os.mkdir", "os.remove", "os.rename"}:
        done.append(f"{event} {arguments[0]}")
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        done.append(f"{event} {arguments[0]}")
sys.addaudithook(watch)
import daftray
# Programs, and Alembic's script: they are there to do something.
left_out = {"__main__", "env", "sweep_job"}
names = [
    module.name
    for module in pkgutil.walk_packages(daftray.__path__, "daftray.")
    if not left_out & set(module.name.split(".")) and "migrations" not in module.name
]
for name in names:
    importlib.import_module(name)
json.dump({"names": names, "done": done, "threads": threading.active_count()}, sys.stdout)
"""

WITHOUT_EXTRAS = """
import importlib, importlib.abc, re, sys, tomllib
from itertools import chain
from pathlib import Path
project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
optional = chain(project["optional-dependencies"]["server"], project["optional-dependencies"]["local"])
absent = {re.split("[^a-z0-9_-]", line)[0].replace("-", "_") for line in optional} | {"pydantic"}
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"{name} comes with an extra")
sys.meta_path.insert(0, Absent())
for name in sys.argv[1:]:
    importlib.import_module(name)
print(len(absent))
"""


def answer_of(program: str, *arguments: str) -> str:
    """Run a program in a new interpreter that writes no bytecode, and return what it prints."""
    command = [sys.executable, "-B", "-c", program, *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_importing_daftray_loads_nothing_heavy() -> None:
    loaded = json.loads(answer_of("import json, sys, daftray; print(json.dumps(sorted(sys.modules)))"))

    assert "daftray" in loaded
    assert not HEAVY & set(loaded)


def test_importing_a_client_loads_no_server() -> None:
    loaded = json.loads(
        answer_of("import json, sys; from daftray import Client; print(json.dumps(sorted(sys.modules)))")
    )

    assert "httpx" in loaded
    assert not (SERVER_SIDE | {"typer"}) & set(loaded)


def test_importing_a_module_does_nothing_else() -> None:
    answer = json.loads(answer_of(WATCHED))

    assert len(answer["names"]) > 10
    assert answer["done"] == []
    assert answer["threads"] == 1


def test_client_and_command_line_need_no_extra() -> None:
    """What a function imports counts as well: the command line imports late."""
    parts = [*(ROOT / "daftray" / "cli").rglob("*.py"), *(ROOT / "daftray" / "client").rglob("*.py")]
    used = {
        node.module
        for path in parts
        if path.name not in {"admin_keys.py", "admin_seed.py", "serve.py", "demo.py", "generate.py"}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("daftray.")
    }

    assert int(answer_of(WITHOUT_EXTRAS, "daftray.cli.app", *sorted(used))) > 10
