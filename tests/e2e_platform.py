"""What the end-to-end tests share: a real server on the session's real Ray cluster."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from git_repos import GitRepo, make_repo

from daftray.client import Client
from daftray.domain.run import Run
from daftray.server.child import ChildServer, child_server

PLACES = 3
"""Runs at a time: more drivers than that only take each other's cores."""
RUN_TIMEOUT_S = 120


@dataclass(frozen=True)
class Platform:
    """A server, its data folder, and a client of its project ``e2e``, whose remote is ``repo``."""

    server: ChildServer
    data_dir: Path
    client: Client
    repo: GitRepo


@contextmanager
def platform_on(root: Path, *, ray_url: str, ray_token: str) -> Generator[Platform]:
    """Serve on a Ray cluster from a folder."""
    repo = make_repo(root / "repo")
    options = ["--allow-local-remotes", "--max-running", str(PLACES), "--ray", ray_url]
    with (
        child_server(root / "data", options=options, variables={"DAFTRAY_RAY_TOKEN": ray_token}) as server,
        Client(server.url, server.api_key) as everything,
    ):
        everything.projects.create("e2e", repo.url)
        yield Platform(server, root / "data", everything.in_project("e2e"), repo)


_RAYS_OWN_LINES = re.compile(
    rb"^(\d{4}-[^\n]* -- Runtime env is setting up\.|Running entrypoint for job [^\n]*)\n", re.MULTILINE
)


def program_output(log: bytes) -> bytes:
    """Return what the program wrote: Ray puts two lines of its own into a driver's file."""
    return _RAYS_OWN_LINES.sub(b"", log)


def wait_for(client: Client, run: Run, holds: Callable[[Run], bool], *, timeout_s: float = 60) -> Run:
    """Return the run once that holds; a run for which it never does fails the test with its state."""
    deadline = time.monotonic() + timeout_s
    while not holds(now := client.runs.get(run)):
        assert time.monotonic() < deadline, f"still not: {now}"
        time.sleep(0.1)
    return now
