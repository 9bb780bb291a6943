"""What a run is asked to be: entrypoint, source, environment and their options.

The same types are the domain, the wire and the JSON columns. Unions are externally tagged, as Daft
Cloud's client sends them: ``{"file": {...}}``, one key and no other.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.status import FailureReason

NonEmpty = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
VariableName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,199}$")]


class FileEntrypoint(msgspec.Struct, frozen=True, kw_only=True):
    """A Python file, run as ``python FILE ARGV…`` does. The path is relative to the repository's root."""

    file_path: NonEmpty
    argv: list[str] | None = None


class ModuleEntrypoint(msgspec.Struct, frozen=True, kw_only=True):
    """A module, run as ``python -m MODULE ARGV…`` does."""

    module: NonEmpty
    argv: list[str] | None = None


class FunctionEntrypoint(msgspec.Struct, frozen=True, kw_only=True):
    """A function, called with arguments that are converted by its annotations.

    ``module`` is a dotted name, or the path of a ``.py`` file relative to the repository's root.
    """

    module: NonEmpty
    symbol: NonEmpty
    args: list[object] | None = None
    kwargs: dict[str, object] | None = None


class Entrypoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Exactly one of a file, a module or a function."""

    file: FileEntrypoint | None = None
    module: ModuleEntrypoint | None = None
    function: FunctionEntrypoint | None = None

    @property
    def label(self) -> str:
        """The entrypoint in one short text, for lists."""
        if self.file:
            return self.file.file_path
        if self.module:
            return f"-m {self.module.module}"
        return f"{self.function.module}:{self.function.symbol}" if self.function else ""

    def issues(self) -> list[InputIssue]:
        """Return what is wrong with it, each at its path in the request."""
        given = [part for part in (self.file, self.module, self.function) if part is not None]
        if len(given) == 1:
            return []
        return [InputIssue(path="entrypoint", message="give exactly one of file, module and function")]


class GitSource(msgspec.Struct, frozen=True, kw_only=True):
    """A commit of a Git remote, with what the remote lacks.

    ``hash`` names a commit (full or abbreviated) and ``ref`` a branch or tag; with neither, the project's
    branch is meant. ``bundle`` is base64 of a ``git bundle`` of commits that the remote lacks; ``patch`` is
    diff text against the commit. Stored runs hold ``blob:<sha256>`` in their place.
    """

    remote: str = ""
    hash: str = ""
    ref: str | None = None
    bundle: str | None = None
    patch: str | None = None


class DirectorySource(msgspec.Struct, frozen=True, kw_only=True):
    """A folder on the server's own disk, where its operator allows that."""

    path: NonEmpty


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the code comes from: exactly one of a Git commit or a directory."""

    git: GitSource | None = None
    directory: DirectorySource | None = None

    def issues(self) -> list[InputIssue]:
        """Return what is wrong with it, each at its path in the request."""
        if self.git is not None and self.directory is not None:
            return [InputIssue(path="source", message="give git or directory, not both")]
        if self.git and self.git.hash and self.git.ref:
            return [InputIssue(path="source.git", message="give hash or ref, not both")]
        return []


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What the run's processes find around them.

    ``python_version`` is ``3.12``, ``3.12.1`` or a whole ``sys.version`` text; empty takes the cluster's.
    """

    python_version: str = ""
    dependencies: list[str] = msgspec.field(default_factory=list[str])
    environment_variables: dict[VariableName, str] | None = None


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """What the entrypoint (the driver) reserves in Ray. ``memory`` is in bytes."""

    num_cpus: Annotated[float, msgspec.Meta(ge=0)] | None = None
    num_gpus: Annotated[float, msgspec.Meta(ge=0)] | None = None
    memory: Annotated[int, msgspec.Meta(ge=0)] | None = None


Seconds = Annotated[float, msgspec.Meta(gt=0, le=30 * 24 * 3600)]


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a failed run is tried again, as a further attempt of the same run.

    ``max`` counts the attempts after the first. ``on`` names the reasons; by default all that are the
    platform's and may pass. ``backoff`` is the seconds before the second attempt; each further one waits
    twice as long, at most an hour.
    """

    max: Annotated[int, msgspec.Meta(ge=1, le=20)]
    on: tuple[FailureReason, ...] | None = None
    backoff: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 10.0


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may use over all its attempts; one that has used more is stopped.

    ``tokens`` are those in and out together. ``usd`` counts what the project's prices know.
    """

    tokens: Annotated[int, msgspec.Meta(ge=1, le=2**53)] | None = None
    requests: Annotated[int, msgspec.Meta(ge=1, le=2**53)] | None = None
    usd: Annotated[float, msgspec.Meta(gt=0, le=1e9)] | None = None

    def issues(self, retries: Retries | None) -> list[InputIssue]:
        """Return what is wrong with it, each at its path in the request."""
        if self == Budget():
            return [InputIssue(path="budget", message="give at least one of tokens, requests and usd")]
        if retries and FailureReason.BUDGET_EXCEEDED in (retries.on or ()):
            message = "leave out budget_exceeded: a budget is the whole run's, and no attempt gets a new one"
            return [InputIssue(path="retries.on", message=message)]
        return []


class RunSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides what a run does, apart from the values of its secrets.

    ``queue_timeout_s``, ``start_timeout_s`` (dependencies included) and ``timeout_s`` bound how long an
    attempt may wait for a place, take to start, and run. A higher ``priority`` goes first within a project.
    """

    entrypoint: Entrypoint
    source: Source = Source()
    environment: Environment = msgspec.field(default_factory=Environment)
    name: str | None = None
    labels: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    runner: Literal["ray", "native"] = "ray"
    resources: Resources | None = None
    priority: Annotated[int, msgspec.Meta(ge=-100, le=100)] = 0
    queue_timeout_s: Seconds | None = None
    start_timeout_s: Seconds | None = None
    timeout_s: Seconds | None = None
    retries: Retries | None = None
    budget: Budget | None = None

    def check(self) -> None:
        """Refuse what can be seen to be wrong without looking anywhere else.

        Raises:
            InvalidInputError: with every issue and its path.
        """
        issues = self.entrypoint.issues() + self.source.issues()
        issues += self.budget.issues(self.retries) if self.budget else []
        if issues:
            raise InvalidInputError("The run cannot be created as asked.", issues=tuple(issues))


class RunRequest(RunSpec, frozen=True, kw_only=True):
    """The body of a create call: a spec and the values of the run's own secrets."""

    secrets: dict[VariableName, str] | None = None
