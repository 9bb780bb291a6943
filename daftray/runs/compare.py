"""Two runs side by side: what they were asked to be, what they used, how long each phase took."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from daftray.domain.metrics import RunMetrics
from daftray.domain.run import Run
from daftray.domain.spec import Environment, GitSource

_DISTRIBUTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SEPARATORS = re.compile(r"[-_.]+")
_DIGITS_SHOWN = 9
_SMALLEST = 1e-12


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One thing as each of two runs has it; nothing where a run does not have it."""

    name: str
    here: str | None
    there: str | None

    @property
    def differs(self) -> bool:
        """Whether the runs differ in it."""
        return self.here != self.there


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Things that belong together."""

    title: str
    pairs: tuple[Pair, ...]

    @property
    def different(self) -> list[Pair]:
        """Those in which the runs differ."""
        return [pair for pair in self.pairs if pair.differs]

    @property
    def equal(self) -> list[Pair]:
        """Those in which they do not."""
        return [pair for pair in self.pairs if not pair.differs]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """An amount of each of two runs; nothing where it is unknown, which is not zero."""

    name: str
    here: float | None
    there: float | None

    @property
    def ratio(self) -> float | None:
        """How many times the first one the second is, where that can be told."""
        if self.here is None or self.there is None or self.here <= _SMALLEST:
            return None
        return self.there / self.here


def sections_of(here: Run, there: Run) -> list[Section]:
    """Return what two runs were asked to be, section by section; one that neither has anything in is out."""
    parts = {
        "Code": (_code(here), _code(there)),
        "Arguments": (_arguments(here), _arguments(there)),
        "Environment": (_environment(here), _environment(there)),
        "Dependencies": (_dependencies(here.environment), _dependencies(there.environment)),
        "Variables": (_variables(here.environment), _variables(there.environment)),
        "Resources and limits": (_limits(here), _limits(there)),
    }
    sections = [Section(title=title, pairs=paired(*both)) for title, both in parts.items()]
    return [section for section in sections if section.pairs]


def paired(here: Mapping[str, str], there: Mapping[str, str]) -> tuple[Pair, ...]:
    """Return one pair for each name that either has: in the first one's order, then the second's."""
    names = dict.fromkeys([*here, *there])
    return tuple(Pair(name=name, here=here.get(name), there=there.get(name)) for name in names)


def usage_of(here: RunMetrics, there: RunMetrics) -> list[Figure]:
    """Return what two runs used. The cost is in dollars."""
    figures = {
        "Requests": (here.requests, there.requests),
        "Tokens in": (here.tokens_in, there.tokens_in),
        "Tokens out": (here.tokens_out, there.tokens_out),
        "CPU seconds": (here.cpu_seconds.allocated, there.cpu_seconds.allocated),
        "Cost": (here.cost, there.cost),
    }
    return [Figure(name=name, here=one, there=other) for name, (one, other) in figures.items()]


def durations_of(here: Mapping[str, float], there: Mapping[str, float]) -> list[Figure]:
    """Return the seconds of each phase that either run was in, and of all of them together."""
    names = dict.fromkeys([*here, *there])
    phases = [Figure(name=name, here=here.get(name), there=there.get(name)) for name in names]
    whole = Figure(name="in all", here=sum(here.values()), there=sum(there.values()))
    return [*phases, whole]


def _code(run: Run) -> dict[str, str]:
    found = {"entrypoint": run.entrypoint.label, "runner": run.runner}
    if run.source.git is not None:
        found |= _git(run.source.git)
    if run.commit:
        found["commit"] = run.commit
    if run.source.directory is not None:
        found["folder"] = run.source.directory.path
    return found


def _git(git: GitSource) -> dict[str, str]:
    given = {
        "remote": git.remote,
        "ref": git.ref,
        "bundle": _brought(git.bundle),
        "uncommitted changes": _brought(git.patch),
    }
    return {name: text for name, text in given.items() if text}


def _brought(kept: str | None) -> str | None:
    """Return by what people can tell one thing that was brought along from another: its hash's beginning."""
    return kept.removeprefix("blob:")[:_DIGITS_SHOWN] if kept else None


def _arguments(run: Run) -> dict[str, str]:
    entrypoint = run.entrypoint
    plain = entrypoint.file or entrypoint.module
    if plain is not None:
        return {str(number): text for number, text in enumerate(plain.argv or [], 1)}
    function = entrypoint.function
    if function is None:
        return {}
    ordered = {str(number): _json(value) for number, value in enumerate(function.args or [], 1)}
    return ordered | {name: _json(value) for name, value in sorted((function.kwargs or {}).items())}


def _environment(run: Run) -> dict[str, str]:
    found = {"Python": run.environment.python_version or "the cluster's"}
    if run.secret_names:
        found["own secrets"] = ", ".join(run.secret_names)
    return found


def _dependencies(environment: Environment) -> dict[str, str]:
    """Return requirements by the name of what they require, as PyPI compares names."""
    found: dict[str, str] = {}
    for line in environment.dependencies:
        match = _DISTRIBUTION.match(line)
        name = _SEPARATORS.sub("-", match[0]).lower() if match else line
        found[name] = f"{found[name]}, {line}" if name in found else line
    return dict(sorted(found.items()))


def _variables(environment: Environment) -> dict[str, str]:
    return dict(sorted((environment.environment_variables or {}).items()))


def _limits(run: Run) -> dict[str, str]:
    parts = {"": run.resources, "budget: ": run.budget, "retries: ": run.retries}
    found = dict(_fields((prefix, part) for prefix, part in parts.items() if part is not None))
    times = ("queue_timeout_s", "start_timeout_s", "timeout_s")
    given = {name: getattr(run, name) for name in times}
    found |= {name: _json(value) for name, value in given.items() if value is not None}
    return {"cluster": run.cluster, "priority": str(run.priority)} | found


def _fields(parts: Iterable[tuple[str, msgspec.Struct]]) -> Iterable[tuple[str, str]]:
    for prefix, part in parts:
        for name in part.__struct_fields__:
            value = getattr(part, name)
            if value is not None:
                yield f"{prefix}{name}", _json(value)


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="sorted").decode()
