"""``daftray demo``: the whole path once, on real parts, in a temporary place."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

import daftray
from daftray.adapters.gitrepo.seed import repository_of
from daftray.cli import screen, tables
from daftray.cli.follow import follow_to_end
from daftray.client import Client
from daftray.domain.errors import DaftrayError
from daftray.domain.run import Run
from daftray.domain.spec import Entrypoint, Environment, FunctionEntrypoint, RunRequest
from daftray.server.child import ChildServer, child_server
from daftray.server.stand_in import MODEL, StandIn

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)

_DEFAULT_MODEL = "gpt-4o-mini"


@dataclass(frozen=True, kw_only=True)
class Model:
    """The language model that the demo asks, and how it is reached."""

    name: str
    label: str
    variables: dict[str, str]
    secrets: dict[str, str]


@app.command()
def command(
    *,
    limit: Annotated[int, typer.Option(min=1, max=60, help="How many reviews to label.")] = 24,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the server running until Ctrl-C, to look around.")
    ] = False,
) -> None:
    """Serve in a temporary place, and run a Daft pipeline from a Git commit on a Ray cluster there.

    With OPENAI_API_KEY set (and OPENAI_BASE_URL, for another host) the pipeline asks that model; otherwise
    a stand-in on this machine, which only looks like one.
    """
    with _place() as place, _model() as model:
        examples = place / "reviews"
        commit = repository_of(_examples() / "reviews", examples)
        screen.say(f"A Git repository with the example pipeline: {examples}, commit {commit[:12]}")
        screen.say("Starting a server with a Ray cluster of its own (some ten seconds) …")
        with child_server(place / "data", options=["--allow-local-remotes"]) as server:
            code = _run_on(server, examples, model, limit)
            if keep and code == 0:
                _wait(server)
    raise typer.Exit(code)


def _run_on(server: ChildServer, examples: Path, model: Model, limit: int) -> int:
    screen.say(f"The server is at {server.url}. The model: {model.label}\n")
    with Client(server.url, server.api_key) as everything:
        project = everything.projects.create("reviews", str(examples))
        client = everything.in_project(project.name)
        function = FunctionEntrypoint(
            module="pipeline.py", symbol="label_reviews", kwargs={"limit": limit, "model": model.name}
        )
        run = client.runs.submit(
            RunRequest(
                entrypoint=Entrypoint(function=function),
                environment=Environment(environment_variables=model.variables),
                secrets=model.secrets,
                name="demo",
            )
        )
        code = follow_to_end(client, run.id)
        _tell(client.runs.get(run.id), model)
    return code


def _tell(run: Run, model: Model) -> None:
    """Print the table that the demo ends with."""
    usage = run.usage
    screen.emit("")
    tables.emit_table(
        ["phase", "seconds"], [[phase, f"{seconds:.2f}"] for phase, seconds in run.timings.items()]
    )
    screen.emit("")
    tables.emit_table(
        ["status", "commit", "requests", "tokens in", "tokens out", "CPU seconds", "model"],
        [
            [
                run.status.value,
                (run.commit or "")[:12],
                usage.requests if usage else None,
                usage.tokens_in if usage else None,
                usage.tokens_out if usage else None,
                usage.cpu_seconds if usage else None,
                model.label,
            ]
        ],
    )
    screen.emit(
        "\nAgain: make demo. To look around in it: daftray demo --keep. On your own code: daftray serve,\n"
        "then daftray run FILE.py in your repository (docs/cli.md)."
    )


def _wait(server: ChildServer) -> None:
    """Leave the server to the person until they are done with it."""
    screen.say(
        f"The server stays until Ctrl-C. In another terminal:\n"
        f"  export DAFTRAY_URL={server.url} DAFTRAY_PROJECT=reviews\n"
        f"  export DAFTRAY_API_KEY=$(cat {server.log.parent}/admin-key)\n"
        f"  daftray runs list"
    )
    with contextlib.suppress(KeyboardInterrupt):
        os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)


@contextlib.contextmanager
def _place() -> Generator[Path]:
    """Give a temporary folder. The data in it is the demo's alone, and goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="daftray-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _model() -> Generator[Model]:
    """Give the caller's own model where there is a key for one, else the stand-in."""
    key, address = os.environ.get("OPENAI_API_KEY"), os.environ.get("OPENAI_BASE_URL")
    if key:
        variables = {"OPENAI_BASE_URL": address} if address else {}
        name = os.environ.get("OPENAI_MODEL", _DEFAULT_MODEL)
        yield Model(name=name, label=name, variables=variables, secrets={"OPENAI_API_KEY": key})
        return
    with StandIn() as stand_in:
        yield Model(
            name=MODEL,
            label=f"{MODEL} (a stand-in on this machine: set OPENAI_API_KEY for a real one)",
            variables={"OPENAI_BASE_URL": stand_in.base_url},
            secrets={"OPENAI_API_KEY": "stand-in-key"},
        )


def _examples() -> Path:
    """Return where the examples lie: in the package, or beside it in a checkout."""
    package = Path(daftray.__file__).parent
    for folder in (package / "examples", package.parent / "examples"):
        if folder.is_dir():
            return folder
    raise DaftrayError("The examples are not installed: run the demo from a checkout of daftray.")
