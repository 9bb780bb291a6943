"""Which submodules a tree has, and where they come from (gitmodules(5))."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from daftray.adapters.gitrepo.commands import GitCommands
from daftray.domain.errors import SourceRefusedError

MAX_SUBMODULES = 100
_GITLINK = "160000"


@dataclass(frozen=True, kw_only=True)
class Submodule:
    """A submodule at a commit. ``url`` is as ``.gitmodules`` has it, and may be relative to the remote."""

    path: str
    url: str
    commit: str


def read_submodules(
    git: GitCommands, mirror: Path, tree: str, *, env: Mapping[str, str] | None = None
) -> Sequence[Submodule]:
    """Return the submodules that a tree's ``.gitmodules`` describes, and that the tree has.

    Those that are turned off (``update = none``) are left out, as in a clone.

    Raises:
        SourceRefusedError: there are too many.
    """
    described = _described(git, mirror, tree, env)
    if not described:
        return ()
    if len(described) > MAX_SUBMODULES:
        raise SourceRefusedError(
            f"The repository has {len(described)} submodules, of which at most {MAX_SUBMODULES} are taken."
        )
    listed = git.run("ls-tree", "-z", "--full-tree", tree, "--", *described, at=mirror, env=env)
    found: list[Submodule] = []
    for entry in listed.output.decode(errors="surrogateescape").split("\0"):
        kind, _, path = entry.partition("\t")
        fields = kind.split(" ")
        if fields[0] == _GITLINK and path in described:
            found.append(Submodule(path=path, url=described[path], commit=fields[2]))
    return found


def _described(git: GitCommands, mirror: Path, tree: str, env: Mapping[str, str] | None) -> dict[str, str]:
    """Return the URL of each path that ``.gitmodules`` names."""
    settings = git.run("config", "--blob", f"{tree}:.gitmodules", "-z", "--list", at=mirror, env=env)
    modules: dict[str, dict[str, str]] = {}
    for entry in settings.output.decode(errors="surrogateescape").split("\0") if settings.ok else ():
        key, _, value = entry.partition("\n")
        section, _, rest = key.partition(".")
        name, _, variable = rest.rpartition(".")
        if section == "submodule":
            modules.setdefault(name, {})[variable] = value
    return {
        module["path"].rstrip("/"): module["url"]
        for module in modules.values()
        if module.get("path") and module.get("url") and module.get("update") != "none"
    }
