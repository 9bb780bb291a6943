"""What a remote has right now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from daftray.adapters.gitrepo import refnames
from daftray.adapters.gitrepo.commands import GitCommands, Outcome
from daftray.adapters.gitrepo.errors import remote_error
from daftray.adapters.gitrepo.transport import Remote, shown
from daftray.domain.errors import SourceError, SourceNotFoundError

_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class Found:
    """A ref of the remote and the object that it names; for an annotated tag, what that points to."""

    name: str
    object_id: str


@dataclass(frozen=True, kw_only=True)
class RemoteAccess:
    """A remote, and how Git may reach it.

    ``environment`` holds what opens it (never the secret itself), ``addresses`` are those of its host that
    were checked, ``credential`` is there to be taken out of what Git writes.
    """

    git: GitCommands
    remote: Remote
    environment: Mapping[str, str]
    addresses: Sequence[str] = ()
    credential: str | None = field(default=None, repr=False)

    def find(self, ref: str) -> Found:
        """Return a ref as it is now: a branch before a tag of that name.

        Raises:
            SourceNotFoundError: there is none, or no such remote.
            SourceError: the remote cannot be used.
        """
        names = refnames.candidates(ref)
        found = self._listed([*names, *(f"{name}^{{}}" for name in names)])
        for name in names:
            if name in found:
                return Found(name=name, object_id=found.get(f"{name}^{{}}", found[name]))
        raise self._no_such(ref)

    def fetch(self, mirror: Path, refspecs: Sequence[str], *options: str) -> Outcome:
        """Fetch into a mirror, and return how that ended."""
        quiet = ("--quiet", "--force", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        return self._run("fetch", *quiet, *options, "--", self.remote.url, *refspecs, at=mirror)

    def error(self, outcome: Outcome) -> SourceError:
        """Return the error for a command that failed on the remote."""
        return remote_error(self.remote, outcome.errors, credential=self.credential)

    def _listed(self, patterns: Sequence[str]) -> dict[str, str]:
        outcome = self._run("ls-remote", "--quiet", "--", self.remote.url, *patterns, at=self.git.scratch)
        if not outcome.ok:
            raise self.error(outcome)
        pairs = [line.split("\t", 1) for line in outcome.text.splitlines() if "\t" in line]
        return {name: object_id for object_id, name in pairs}

    def _run(self, *args: str, at: Path) -> Outcome:
        return self.git.run(*self._checked_addresses(), *args, at=at, env=self.environment)

    def _checked_addresses(self) -> list[str]:
        """Make curl use the addresses that were checked; ssh has them in its own settings."""
        if not self.addresses or self.remote.transport == "ssh":
            return []
        port = self.remote.port or (443 if self.remote.transport == "https" else 80)
        known = ",".join(f"[{one}]" if ":" in one else one for one in self.addresses)
        return ["-c", f"http.curloptResolve={self.remote.host}:{port}:{known}"]

    def _no_such(self, ref: str) -> SourceNotFoundError:
        branches = [name.removeprefix("refs/heads/") for name in self._listed(["refs/heads/*"])]
        where = f"the Git remote {shown(self.remote.url)}"
        if not branches:
            return SourceNotFoundError(f"There is nothing in {where}: push a commit first, or check its URL.")
        shortlist = ", ".join(sorted(branches)[:_SHOWN]) + (", …" if len(branches) > _SHOWN else "")
        return SourceNotFoundError(
            f"There is no branch or tag {ref!r} in {where}: push it, or name one that is there ({shortlist})."
        )
