"""``daftray run``: from what is typed and what lies on disk to a run, followed to its end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer
from msgspec.structs import replace

from daftray.cli import limits, screen
from daftray.cli.ask import RunWish, environment_of, place_entrypoint
from daftray.cli.checkout import open_checkout
from daftray.cli.follow import go_on_with
from daftray.cli.options import AsJson, Follow, Project
from daftray.cli.project_choice import project_of_run
from daftray.cli.session import connect
from daftray.cli.source import SourceChoice, choose_source
from daftray.cli.variables import read_env_file, read_labels
from daftray.domain.spec import RunRequest

CONTEXT_SETTINGS = {"ignore_unknown_options": True, "allow_interspersed_args": False}
EPILOG = """\b
ENTRYPOINT is one of
  path/file.py            a file, run as `python path/file.py ARGS` from the repository's root
  pkg.module              a module, run as `python -m pkg.module ARGS`
  path/file.py:function   a function; --key=value, --key value and --flag are keyword
  pkg.module:function     arguments, anything else is positional. The run converts them by
                          the function's annotations.
Paths are relative to where you are. Everything after ENTRYPOINT belongs to the program.

\b
The code is the commit that is checked out; commits that the remote lacks are sent along, and
uncommitted changes if you want (--patch). With --ref it is what the remote has there.
Dependencies come from pyproject.toml or requirements.txt, beside the entrypoint or above it,
the Python version from .python-version.

\b
TIME is 90s, 10m, 2h, 1d, 1h30m, or plain seconds. Each failed attempt that is tried again keeps
its log and reason: daftray runs get RUN.

\b
Examples:
  daftray run pipelines/score.py --limit 100
  daftray run pipelines/score.py:main --limit=100
  daftray run --ref v1.2 --detach pipelines.score
  daftray run --env-file .env --dep "daft>=0.7" --patch job.py
  daftray run --retries 3 --retry-on killed,out_of_memory --timeout 2h job.py
  daftray run --budget tokens=2000000,usd=5 score.py
  daftray run --json --detach job.py | jq -r .id
"""


def run(  # noqa: PLR0913 (each is an option of the command)
    context: typer.Context,
    entrypoint: Annotated[
        str, typer.Argument(metavar="ENTRYPOINT", help="What to run; see below.", show_default=False)
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="ARGS", help="Its arguments, options included.", show_default=False),
    ] = None,
    *,
    project: Project = None,
    ref: Annotated[
        str | None,
        typer.Option(
            "--ref", metavar="REF", help="A branch, tag or commit of the remote, in place of what is here."
        ),
    ] = None,
    remote: Annotated[
        str | None, typer.Option("--remote", metavar="URL", help="A Git remote other than the project's.")
    ] = None,
    patch: Annotated[
        bool | None,
        typer.Option(
            "--patch/--no-patch", help="Send uncommitted changes, or leave them out.", show_default=False
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            "--env", "-e", metavar="NAME=VALUE", help="An environment variable; NAME alone takes yours."
        ),
    ] = None,
    env_file: Annotated[
        Path | None,
        typer.Option("--env-file", metavar="FILE", help="NAME=VALUE lines that become secrets of this run."),
    ] = None,
    dep: Annotated[
        list[str] | None,
        typer.Option(
            "--dep", metavar="PEP508", help="A dependency, in place of those of a file. Repeatable."
        ),
    ] = None,
    deps_from: Annotated[
        Path | None,
        typer.Option("--deps-from", metavar="FILE", help="The file to read dependencies from."),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(
            "--python",
            metavar="VERSION",
            help="The Python version, such as 3.12; the cluster's unless named.",
        ),
    ] = None,
    runner: Annotated[
        Literal["ray", "native"],
        typer.Option("--runner", help="Daft's runner: all of the cluster, or the driver alone."),
    ] = "ray",
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="A name for the run.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="NAME=VALUE", help="A label by which it is found again. Repeatable."),
    ] = None,
    retries: limits.RetryCount = None,
    retry_on: limits.RetryOn = None,
    retry_backoff: limits.RetryBackoff = None,
    timeout: limits.Timeout = None,
    start_timeout: limits.StartTimeout = None,
    queue_timeout: limits.QueueTimeout = None,
    priority: limits.Priority = None,
    budget: limits.BudgetText = None,
    idempotency_key: limits.IdempotencyKey = None,
    follow: Follow = True,
    as_json: AsJson = False,
) -> None:
    """Run a file, module or function of this Git repository on the cluster, and follow it to its end.

    The exit code is 0 only if the run succeeded; that of the run if it failed with one; 130 if it was
    cancelled. The run's log goes to stdout, everything else to stderr.
    """
    wish = RunWish(
        entrypoint=entrypoint,
        arguments=arguments or [],
        on_disk=ref is None,
        variables=env or [],
        dependencies=dep or [],
        dependencies_from=deps_from,
        python_version=python,
    )
    bounds = limits.read_limits(
        retries=retries,
        retry_on=retry_on,
        retry_backoff=retry_backoff,
        timeout=timeout,
        start_timeout=start_timeout,
        queue_timeout=queue_timeout,
        priority=priority,
        budget=budget,
    )
    checkout = open_checkout(Path.cwd())
    placed = place_entrypoint(wish, checkout)
    request = RunRequest(
        entrypoint=placed.entrypoint,
        environment=environment_of(wish, placed, os.environ),
        secrets=(env_file and read_env_file(env_file)) or None,
        name=name,
        labels=read_labels(label or []),
        runner=runner,
        **bounds.given(),
    )
    client = connect(context)
    home = project_of_run(client, project, checkout, remote)
    source = choose_source(SourceChoice(ref=ref, remote=remote, patch=patch), checkout, home)
    client = client.in_project(home.name)
    created = client.runs.submit(replace(request, source=source), idempotency_key=idempotency_key)
    screen.say(f"run {created.id} of project {home.name} at {client.base_url}")
    go_on_with(client, created, follow=follow, as_json=as_json)
