"""One bare mirror: what its remote had at the last fetch, and the commits that runs hold on to.

For each commit that a run was pinned to, the mirror has a ref of daftray's own
(``refs/daftray/pins/<hash>``), which no force-push and no garbage collection can take away. Only
`Mirror.bring` writes, and only under the mirror's file lock.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from daftray.adapters.gitrepo import refnames
from daftray.adapters.gitrepo.commands import GitCommands
from daftray.adapters.gitrepo.remote_refs import RemoteAccess
from daftray.adapters.gitrepo.scrubbing import last_line
from daftray.adapters.gitrepo.transport import shown
from daftray.domain.errors import SourceError, SourceNotFoundError, SourceUnavailableError

PINS = "refs/daftray/pins"
_ASKED = "refs/daftray/asked"
_MIRRORED = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_TRIES = 3
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which commit: a ref's as it is on the remote now, or one by its hash, which may be abbreviated."""

    ref: str = "HEAD"
    commit: str | None = None


class Mirror:
    """A mirror at ``path``, which need not be there yet."""

    def __init__(self, path: Path, git: GitCommands) -> None:
        self.path = path
        self._git = git

    def find(self, ref: str, access: RemoteAccess) -> str | None:
        """Return the commit that a ref is on the remote now, if it is pinned already.

        Raises:
            SourceError: one of its kinds.
        """
        found = access.find(ref)
        return found.object_id if self.is_pinned(found.object_id) else None

    def bring(self, wanted: Wanted, access: RemoteAccess, *, bundle: bytes | None) -> str:
        """Bring a commit into the mirror, pin it there, and return its full hash.

        Raises:
            SourceError: one of its kinds.
        """
        try:
            with FileLock(self.path.with_suffix(".lock"), timeout=self._git.timeout_s):
                self._make()
                if bundle:
                    self._take_bundle(bundle, access)
                commit = self._found(wanted, access)
                self._pin(commit)
                return commit
        except Timeout as exc:
            raise _busy() from exc

    def refresh(self, access: RemoteAccess) -> bool:
        """Fetch all branches and tags, if the mirror is (still) there; tell whether it is.

        Raises:
            SourceError: one of its kinds.
        """
        try:
            with FileLock(self.path.with_suffix(".lock"), timeout=self._git.timeout_s):
                if not self.path.is_dir():
                    return False
                self._fetch(access)
                return True
        except Timeout as exc:
            raise _busy() from exc

    def is_pinned(self, commit: str) -> bool:
        """Whether a full hash names a commit that a run holds on to."""
        if not refnames.is_full(commit) or not self.path.is_dir():
            return False
        if (self.path / PINS / commit).is_file():  # nearly always; a packed ref needs a look by Git
            return True
        return self._git.run("rev-parse", "--verify", "--quiet", f"{PINS}/{commit}", at=self.path).ok

    def _make(self) -> None:
        if self.path.is_dir():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = Path(tempfile.mkdtemp(dir=self._git.scratch))
        made = self._git.run("init", "--quiet", "--bare", "--template=", ".", at=fresh)
        if not made.ok:
            raise SourceError(f"The server cannot keep a mirror of the Git remote: {last_line(made.errors)}")
        fresh.rename(self.path)  # whole or not at all

    def _found(self, wanted: Wanted, access: RemoteAccess) -> str:
        if wanted.commit is not None:
            return self._by_hash(wanted.commit, access)
        return self._by_ref(wanted.ref, access)

    def _by_ref(self, ref: str, access: RemoteAccess) -> str:
        """Fetch until the mirror has what the remote says that the ref is: it may move in between."""
        for _ in range(_TRIES):
            found = access.find(ref)
            if not self._is_whole(found.object_id):
                self._fetch(access, named=found.name)
            if not self._is_whole(found.object_id):
                continue
            if commit := self._commit_of(found.object_id):
                return commit
            raise SourceNotFoundError(f"{ref!r} names no commit: give a branch, or a tag of a commit.")
        raise SourceUnavailableError(f"{ref!r} moves faster than it can be fetched: try again.")

    def _by_hash(self, commit: str, access: RemoteAccess) -> str:
        if (found := self._abbreviated(commit)) and self._is_whole(found):
            return found
        self._fetch(access)
        if (found := self._abbreviated(commit)) and self._is_whole(found):
            return found
        # On no branch and no tag (of a pull request, or force-pushed away): most hosts give it by its hash.
        if refnames.is_full(commit) and access.fetch(self.path, [commit]).ok and self._commit_of(commit):
            return commit
        raise SourceNotFoundError(
            f"There is no commit {commit} in the Git remote {shown(access.remote.url)}: push it, or send it "
            "along, with all that it holds, as a bundle."
        )

    def _abbreviated(self, commit: str) -> str | None:
        """Return the one commit whose hash begins so."""
        if refnames.is_full(commit):
            return self._commit_of(commit)
        objects = self._git.run("rev-parse", f"--disambiguate={commit}", at=self.path).output
        kinds = self._git.run("cat-file", "--batch-check", at=self.path, stdin=objects).text.splitlines()
        commits = [line.split(" ", 1)[0] for line in kinds if " commit " in line]
        if len(commits) > 1:
            raise SourceNotFoundError(
                f"{commit!r} is ambiguous, it begins several commits: give more digits of one of "
                f"{', '.join(sorted(commits)[:_SHOWN])}."
            )
        return commits[0] if commits else None

    def _is_whole(self, object_id: str) -> bool:
        """Whether an object is here with all that it consists of: a bundle may have brought only a part."""
        walk = ("rev-list", "--objects", "--quiet", object_id, "--not", "--all")
        return self._git.run(*walk, at=self.path).ok

    def _commit_of(self, object_id: str) -> str | None:
        found = self._git.run("rev-parse", "--verify", "--quiet", f"{object_id}^{{commit}}", at=self.path)
        return found.text if found.ok else None

    def _pin(self, commit: str) -> None:
        pinned = self._git.run("update-ref", f"{PINS}/{commit}", commit, at=self.path)
        if not pinned.ok:
            raise SourceError(f"The server cannot pin the commit {commit}: {last_line(pinned.errors)}")

    def _fetch(self, access: RemoteAccess, *, named: str | None = None) -> None:
        """Fetch all branches and tags, and a ref of another kind that was asked for."""
        other = named is not None and not named.startswith(("refs/heads/", "refs/tags/"))
        refspecs = [*_MIRRORED, *([f"+{named}:{_ASKED}"] if other else [])]
        outcome = access.fetch(self.path, refspecs, "--prune")
        if not outcome.ok and ".lock': File exists" in outcome.errors:
            # Left by a Git that was killed: the mirror's own lock is ours, so nobody else writes.
            for stale in _lock_files(self.path):
                stale.unlink(missing_ok=True)
            outcome = access.fetch(self.path, refspecs, "--prune")
        if not outcome.ok:
            raise access.error(outcome)

    def _take_bundle(self, bundle: bytes, access: RemoteAccess) -> None:
        """Take a bundle's objects in; the commits that it builds on are fetched first where they lack."""
        descriptor, name = tempfile.mkstemp(suffix=".bundle", dir=self._git.scratch)
        file = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(bundle)
            taken = self._git.run("bundle", "unbundle", str(file), at=self.path)
            if not taken.ok:
                self._fetch(access)
                taken = self._git.run("bundle", "unbundle", str(file), at=self.path)
        finally:
            file.unlink(missing_ok=True)
        if not taken.ok:
            raise SourceError(
                "The bundle cannot be used: make it by `git bundle create` of commits that build on what the "
                f"remote {shown(access.remote.url)} has. Git says: {last_line(taken.errors)}"
            )


def _busy() -> SourceUnavailableError:
    return SourceUnavailableError("Another fetch of the same Git remote goes on for too long: try again.")


def _lock_files(mirror: Path) -> Sequence[Path]:
    return [*mirror.glob("*.lock"), *(mirror / "refs").rglob("*.lock")]
