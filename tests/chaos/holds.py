"""How a run is made to stay in a phase, so that it can be cancelled there."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from chaos.cancel_programs import FILES, KINDS
from chaos.ray_view import RayView
from e2e_platform import wait_for
from git_http import git_server
from git_repos import GitRepo, make_repo

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.spec import Environment, Resources
from daftray.domain.status import RunPhase
from daftray.server.child import child_server

PLACES = 2
HELD_S = 3
"""A call that cannot be cut short is held up for so long: shorter than a cancel may take."""
HELD_TWICE_S = 1.5
"""The end of a run that is cancelled there comes by that call once more."""
REACH_S = 60.0


@dataclass(frozen=True)
class Held:
    """A server on which runs come to one phase, and stay there."""

    client: Client
    create: Callable[[str], Run]
    """Create a run of a kind; return it once it is in the phase, with all that it makes there."""


@dataclass(frozen=True)
class Hold:
    """How a run stays in a phase: by failpoints, by a slow remote or dependency, by what it asks for."""

    phase: RunPhase
    failpoints: str | None = None
    stays: bool = True
    slow_remote: bool = False
    slow_dependency: bool = False
    resources: Resources | None = None
    crowded: bool = False


HOLDS = {
    "pinning": Hold(RunPhase.PINNING, slow_remote=True),
    "queued": Hold(RunPhase.QUEUED, crowded=True),
    "preparing": Hold(RunPhase.PREPARING, "rayjobs.info:before=*,delay,60"),
    "uploading": Hold(RunPhase.PREPARING, "rayjobs.ensure_package:before=*,delay,60"),
    "before submitting": Hold(RunPhase.SUBMITTING, f"rayjobs.submit:before=*,delay,{HELD_S}"),
    "after submitting": Hold(RunPhase.SUBMITTING, f"rayjobs.submit:after=*,delay,{HELD_S}"),
    "installing": Hold(RunPhase.INSTALLING, slow_dependency=True),
    "starting": Hold(RunPhase.STARTING, resources=Resources(num_cpus=1000)),
    "running": Hold(RunPhase.RUNNING),
    "harvesting": Hold(RunPhase.HARVESTING, f"rayjobs.reserved:before=*,delay,{HELD_TWICE_S}", stays=False),
}


@contextmanager
def held(hold: Hold, root: Path, ray: RayView) -> Generator[Held]:
    """Serve in a folder such that runs stay in a phase."""
    options = ["--allow-local-remotes", "--max-running", str(PLACES), "--ray", ray.url]
    variables = {"DAFTRAY_RAY_TOKEN": ray.token}
    if hold.failpoints is not None:
        variables["DAFTRAY_FAILPOINTS"] = hold.failpoints
    repo = make_repo(root / "served" / "repo", FILES)
    with ExitStack() as stack:
        server = stack.enter_context(child_server(root / "data", options=options, variables=variables))
        everything = stack.enter_context(Client(server.url, server.api_key))
        remote = stack.enter_context(_slow_remote(repo)) if hold.slow_remote else repo.url
        everything.projects.create("held", remote)
        client = everything.in_project("held")
        if hold.crowded:
            for _ in range(PLACES):
                there = client.runs.create("file.py", args=["stay"], runner="native")
                wait_for(client, there, lambda now: now.phase is RunPhase.RUNNING, timeout_s=REACH_S)
        nowhere = stack.enter_context(_slow_index()) if hold.slow_dependency else None
        yield Held(client, functools.partial(_create, hold, client, nowhere))


def _create(hold: Hold, client: Client, nowhere: str | None, kind: str) -> Run:
    slow = [f"slow @ {nowhere}/slow-1.0-py3-none-any.whl"] if nowhere else []
    run = client.runs.create(
        KINDS[kind],
        args=["stay" if hold.stays else "end"],
        environment=Environment(dependencies=slow),
        resources=hold.resources,
        runner="ray" if kind == "daft" else "native",
    )

    def there(now: Run) -> bool:
        assert not now.status.terminal, now
        if now.phase is RunPhase.RUNNING:
            return now.phase is hold.phase and b"there" in client.runs.logs(now)
        return now.phase is hold.phase

    return wait_for(client, run, there, timeout_s=REACH_S)


@contextmanager
def _slow_remote(repo: GitRepo) -> Generator[str]:
    """Serve a repository that answers no request until the end."""
    over = threading.Event()
    with git_server(repo.path.parent) as server:
        server.on_request = over.wait
        try:
            yield server.url(f"{repo.path.name}/.git")
        finally:
            over.set()


class _Silent(http.server.BaseHTTPRequestHandler):
    over: threading.Event

    def do_GET(self) -> None:
        self.over.wait()
        self.send_error(503)

    do_HEAD = do_GET  # noqa: N815 (the name is the library's)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the same)
        """Stay silent."""


@contextmanager
def _slow_index() -> Generator[str]:
    """Serve packages that never come."""
    over = threading.Event()
    handler = type("Handler", (_Silent,), {"over": over})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            over.set()
            server.shutdown()
            thread.join()
