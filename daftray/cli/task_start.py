"""``daftray tasks start``: a run of a task, with what is typed in place of what the task has."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import msgspec
import typer
from msgspec.structs import replace

from daftray.cli import limits, screen
from daftray.cli.ask import warn_of_misplaced_options
from daftray.cli.dependencies import given_dependencies, read_dependencies
from daftray.cli.follow import go_on_with
from daftray.cli.options import AsJson, Follow, Project
from daftray.cli.python_version import check_python_version
from daftray.cli.session import connect_to_project
from daftray.cli.source import named_source
from daftray.cli.task_triggers import TaskName
from daftray.cli.variables import read_assignments, read_env_file, read_labels
from daftray.client.asked import entrypoint_of
from daftray.client.entrypoint import parse_call
from daftray.domain.spec import Entrypoint, Environment
from daftray.domain.task import TaskView

if TYPE_CHECKING:
    from daftray.client.overrides import Overrides

CONTEXT_SETTINGS = {"ignore_unknown_options": True, "allow_interspersed_args": False}
_EPILOG = """\b
Options come before TASK; everything after it is for the program, in place of the arguments that
the task has. --env adds to the task's variables; --dep and --deps-from go in place of its
dependencies.

\b
Examples:
  daftray tasks start nightly
  daftray tasks start --ref v1.2 --env LEVEL=debug nightly
  daftray tasks start --detach nightly --limit 100
"""


class _Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed that goes in place of a part of what the task has."""

    arguments: Sequence[str]
    ref: str | None
    variables: Sequence[str]
    dependencies: Sequence[str]
    dependencies_from: Path | None
    python_version: str | None


def add_to(app: typer.Typer) -> None:
    """Put the command beside the others of its group."""
    app.command("start", context_settings=CONTEXT_SETTINGS, epilog=_EPILOG)(start)


def start(  # noqa: PLR0913 (each is an option of the command)
    context: typer.Context,
    task: TaskName,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ARGS",
            help="Its arguments, options included, in place of the task's.",
            show_default=False,
        ),
    ] = None,
    *,
    project: Project = None,
    ref: Annotated[
        str | None,
        typer.Option("--ref", metavar="REF", help="A branch, tag or commit, in place of the task's."),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            "--env", "-e", metavar="NAME=VALUE", help="An environment variable; NAME alone takes yours."
        ),
    ] = None,
    env_file: Annotated[
        Path | None,
        typer.Option(
            "--env-file", metavar="FILE", help="NAME=VALUE lines that are the run's secrets, not the task's."
        ),
    ] = None,
    dep: Annotated[
        list[str] | None,
        typer.Option("--dep", metavar="PEP508", help="A dependency, in place of the task's. Repeatable."),
    ] = None,
    deps_from: Annotated[
        Path | None,
        typer.Option("--deps-from", metavar="FILE", help="The file to read dependencies from."),
    ] = None,
    python: Annotated[
        str | None, typer.Option("--python", metavar="VERSION", help="The Python version, such as 3.12.")
    ] = None,
    runner: Annotated[
        Literal["ray", "native"] | None,
        typer.Option("--runner", help="Daft's runner: all of the cluster, or the driver alone."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="A name for the run, not the task's.")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="NAME=VALUE", help="Labels in place of the task's. Repeatable."),
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
    """Start a task, and follow its run to its end as `daftray run` does.

    What is given replaces what the task has; `--retries 0`, and `none` for a time or a budget, take it away.
    """
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
    typed = _Typed(
        arguments=arguments or [],
        ref=ref,
        variables=env or [],
        dependencies=dep or [],
        dependencies_from=deps_from,
        python_version=python,
    )
    warn_of_misplaced_options(typed.arguments, before="TASK")
    overrides = cast("Overrides", bounds.given())
    if env_file:
        overrides["secrets"] = read_env_file(env_file)
    if runner:
        overrides["runner"] = runner
    if name is not None:
        overrides["name"] = name
    if label:
        overrides["labels"] = read_labels(label)
    client = connect_to_project(context, project)
    found = client.tasks.get(task)
    overrides |= _parts(found, typed)
    made = client.tasks.start(found, idempotency_key=idempotency_key, **overrides)
    screen.say(f"run {made.id} of task {found.name} at {client.base_url}")
    go_on_with(client, made, follow=follow, as_json=as_json)


def _parts(task: TaskView, typed: _Typed) -> Overrides:
    """Return the fields that the task's own are changed into. Raises `InvalidInputError`."""
    changed: Overrides = {}
    if typed.arguments:
        changed["entrypoint"] = _with_arguments(task.entrypoint, typed.arguments)
    if typed.ref is not None:
        changed["source"] = named_source(task.source.git.remote if task.source.git else "", typed.ref)
    environment = _environment(task.environment, typed)
    if environment != task.environment:
        changed["environment"] = environment
    return changed


def _with_arguments(entrypoint: Entrypoint, arguments: Sequence[str]) -> Entrypoint:
    if not entrypoint.function:
        return entrypoint_of(entrypoint, arguments, None)
    args, kwargs = parse_call(arguments)
    return entrypoint_of(entrypoint, args, kwargs)


def _environment(before: Environment, typed: _Typed) -> Environment:
    after = before
    if typed.dependencies or typed.dependencies_from:
        read = read_dependencies(typed.dependencies_from).requirements if typed.dependencies_from else []
        dependencies = [*read, *given_dependencies(typed.dependencies).requirements]
        after = replace(after, dependencies=dependencies)
    if typed.variables:
        variables = read_assignments(typed.variables, os.environ)
        after = replace(after, environment_variables={**(before.environment_variables or {}), **variables})
    if typed.python_version:
        after = replace(after, python_version=check_python_version(typed.python_version, "--python"))
    return after
