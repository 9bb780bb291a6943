"""A run's attempt as Ray's job REST API takes it.

What Ray keeps of a job (metadata, runtime environment, command) is readable by everybody who can reach its
dashboard. So it holds neither the run's arguments nor its secrets: the runner fetches both when it starts,
with the run's own token, which is worth nothing once the run has ended.
"""

from __future__ import annotations

from typing import Literal

from daftray.domain.cluster import JobSubmission, Package
from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.run import Run
from daftray.domain.spec import Resources

COMMAND = "python -P -m _daftray_boot"
"""Starts the runner. ``-P`` keeps the working folder off ``sys.path``: no file there can shadow it."""

RUN_ID = "DAFTRAY_RUN_ID"
ATTEMPT = "DAFTRAY_ATTEMPT"
REPORT_URL = "DAFTRAY_REPORT_URL"
RUN_TOKEN = "DAFTRAY_RUN_TOKEN"  # noqa: S105 (a variable's name)
RUN_METADATA = "daftray_run_id"
"""The metadata of a job that names its run."""
_OF_THE_RUNNER = {"DAFTRAY_PROCESS", "DAFTRAY_SECRETS", "DAFTRAY_IMPORT_FROM", "DAFTRAY_ALIAS"}
"""What the runner's driver tells its workers; a run that set them would mislead Ray's supervisor of it."""
RESERVED_VARIABLES = frozenset({RUN_ID, ATTEMPT, REPORT_URL, RUN_TOKEN, *_OF_THE_RUNNER})
"""Variables that daftray sets in a run, and that a run's own environment cannot."""

_DEFAULTS = {
    "PYTHONUNBUFFERED": "1",  # the log shows a line when it is printed
    "RAY_DEDUP_LOGS": "0",  # Ray would fold alike lines of workers into one: the log would lack lines
    "RAY_COLOR_PREFIX": "0",  # and colour their prefixes, which a stored log should not hold
    # A program that calls `ray.init(runtime_env=...)` gets what it asks for, as outside of a job, where Ray
    # would refuse to combine it with the job's own.
    "RAY_OVERRIDE_JOB_RUNTIME_ENV": "1",
}
"""Variables that a run's own environment may set otherwise."""


def build(
    run: Run,
    *,
    package: Package,
    runner: Package,
    report_url: str,
    run_token: str,
    installer: Literal["uv", "pip"] = "uv",
) -> JobSubmission:
    """Return the job of a run's current attempt. The run's dependencies are normalised already.

    Ray itself replaces ``${NAME}`` in a variable's value by what the node has under that name.

    Raises:
        InvalidInputError: the run's environment sets a variable that is daftray's.
    """
    runtime_env: dict[str, object] = {
        "working_dir": package.uri,
        "py_modules": [runner.uri],
        "env_vars": _variables(run, report_url=report_url, run_token=run_token),
    }
    if run.environment.dependencies:
        runtime_env[installer] = {"packages": list(run.environment.dependencies)}
    # Only what is asked for: any resource at all lets Ray take the driver off the head node.
    resources = run.resources or Resources()
    return JobSubmission(
        submission_id=run.submission_id,
        entrypoint=COMMAND,
        runtime_env=runtime_env,
        metadata=_metadata(run),
        num_cpus=resources.num_cpus,
        num_gpus=resources.num_gpus,
        memory=resources.memory,
    )


def _variables(run: Run, *, report_url: str, run_token: str) -> dict[str, str]:
    asked = run.environment.environment_variables or {}
    if taken := sorted(RESERVED_VARIABLES & asked.keys()):
        raise InvalidInputError(
            f"daftray sets {', '.join(taken)} itself: choose other names.",
            issues=tuple(
                InputIssue(path=f"environment.environment_variables.{name}", message="daftray sets it itself")
                for name in taken
            ),
        )
    return {
        **_DEFAULTS,
        "DAFT_RUNNER": run.runner,
        **asked,
        RUN_ID: run.id,
        ATTEMPT: str(run.attempt),
        REPORT_URL: report_url,
        RUN_TOKEN: run_token,
    }


def _metadata(run: Run) -> dict[str, str]:
    """Return what Ray's dashboard shows beside the job; Ray takes text only."""
    metadata = {RUN_METADATA: run.id, "daftray_project": run.project}
    if run.name:
        metadata["daftray_run_name"] = run.name
    return metadata
