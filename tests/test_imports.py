"""What importing daftray does: very little."""

from __future__ import annotations

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
left_out = {"__main__", "env"}  # a program and Alembic's script: both are there to do something
names = [
    module.name
    for module in pkgutil.walk_packages(daftray.__path__, "daftray.")
    if not left_out & set(module.name.split(".")) and "migrations" not in module.name
]
for name in names:
    importlib.import_module(name)
json.dump({"names": names, "done": done, "threads": threading.active_count()}, sys.stdout)
"""


def answer_of(program: str) -> str:
    """Run a program in a new interpreter that writes no bytecode, and return what it prints."""
    command = [sys.executable, "-B", "-c", program]
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
