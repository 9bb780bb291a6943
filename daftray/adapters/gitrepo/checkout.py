"""A user's own working copy, as far as `daftray run` looks at it.

Here Git obeys the user's settings, since it is their copy and their remote. Nothing is changed: not the
index, not the work tree, not the object store. What has to be written for a moment goes to a temporary
folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from daftray.adapters.gitrepo.disk_patch import patch_of_disk
from daftray.adapters.gitrepo.scrubbing import last_line, scrub
from daftray.adapters.gitrepo.user_git import UserGit
from daftray.domain.errors import SourceNotFoundError, SourceRefusedError

_ASK_TIMEOUT_S = 15.0
"""How long the remote is asked what it has, before what is known of it locally has to do."""


def open_checkout(folder: Path) -> Checkout | None:
    """Return the working copy that a folder is in, if it is in one.

    Raises:
        SourceRefusedError: Git does not trust it (it belongs to another user).
    """
    found = UserGit(folder).run("rev-parse", "--show-toplevel")
    if "dubious ownership" in found.errors:
        told = last_line(scrub(found.errors, None))
        raise SourceRefusedError(f"Git does not trust the repository of {folder}: {told}")
    root = found.output.decode(errors="surrogateescape").rstrip("\n")
    return Checkout(Path(root)) if found.status == 0 and root else None


class Checkout:
    """A working copy and its root folder. A property is of the moment when it was first asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._git = UserGit(root)

    @cached_property
    def head(self) -> str:
        """The full hash of the commit that is checked out.

        Raises:
            SourceNotFoundError: there is no commit yet.
        """
        head = self._git.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if head is None:
            raise SourceNotFoundError("The repository has no commit yet: commit something, then run it.")
        return head

    @cached_property
    def branch(self) -> str | None:
        """The branch that is checked out; none where HEAD is detached."""
        return self._git.line("symbolic-ref", "--quiet", "--short", "HEAD")

    @cached_property
    def remote(self) -> str | None:
        """The URL of the remote that the branch follows, else of ``origin``, else of the only one."""
        name = self._remote_name
        url = self._git.line("remote", "get-url", name) if name else None
        if url is None or not url.startswith((".", "~")):
            return url
        return str((self.root / Path(url).expanduser()).resolve())

    def path_of(self, file: Path) -> str:
        """Return a file's path relative to the root, with slashes.

        Raises:
            SourceRefusedError: it is outside.
        """
        try:
            return file.resolve().relative_to(self.root.resolve()).as_posix()
        except ValueError as exc:
            raise SourceRefusedError(
                f"{file} is not inside the Git repository {self.root}: move it there, or run it from its own."
            ) from exc

    def is_head_on_remote(self) -> bool:
        """Tell whether the remote has the commit that is checked out.

        The remote is asked what its branches and tags are now. Where it does not answer, what the last fetch
        or push left known of it decides.
        """
        lacking = self._git.must("rev-list", "--max-count=1", "--stdin", stdin=self._revisions(self.head))
        return self.remote is not None and not lacking

    def bundle(self) -> bytes:
        """Return a ``git bundle`` of HEAD with the commits that the remote lacks, or nothing for none.

        Raises:
            SourceError: Git cannot make it.
        """
        if self.is_head_on_remote():
            return b""
        with tempfile.TemporaryDirectory(prefix="daftray-") as folder:
            file = Path(folder) / "commits.bundle"
            # By the name HEAD: a bundle holds refs, and a hash is none.
            stdin = self._revisions("HEAD")
            self._git.must("bundle", "create", "--quiet", str(file), "--stdin", stdin=stdin)
            return file.read_bytes()

    def patch(self) -> bytes:
        """Return what is on disk against HEAD as a UTF-8 patch for ``git apply``, or nothing for no change.

        New files count unless they are ignored, and binary files too.

        Raises:
            SourceError: Git cannot make it.
        """
        return patch_of_disk(self._git, self.head)

    def _revisions(self, commit: str) -> bytes:
        """Return a commit without what the remote has, as ``git rev-list --stdin`` reads it."""
        return "".join([f"{commit}\n", *(f"^{tip}\n" for tip in self._remote_tips)]).encode()

    @cached_property
    def _remote_tips(self) -> Sequence[str]:
        """The hashes of the remote's branches and tags, as far as they are here too."""
        name = self._remote_name
        if name is None:
            return ()
        asked = self._git.run("ls-remote", "--heads", "--tags", "--quiet", name, timeout_s=_ASK_TIMEOUT_S)
        if asked.status == 0:
            tips = [line.split("\t")[0] for line in asked.output.decode().splitlines()]
        else:
            known = self._git.must("for-each-ref", "--format=%(objectname)", f"refs/remotes/{name}")
            tips = known.decode().split()
        return self._existing(list(dict.fromkeys(tips)))

    def _existing(self, hashes: Sequence[str]) -> Sequence[str]:
        if not hashes:
            return ()
        stdin = "".join(f"{one}\n" for one in hashes).encode()
        listed = self._git.must("cat-file", "--batch-check", stdin=stdin)
        found = [line.split(" ") for line in listed.decode().splitlines()]
        return [fields[0] for fields in found if fields[1] in {"commit", "tag"}]

    @cached_property
    def _remote_name(self) -> str | None:
        names = (self._git.line("remote") or "").splitlines()
        followed = self._git.line("config", "--get", f"branch.{self.branch}.remote") if self.branch else None
        for name in (followed, "origin", names[0] if len(names) == 1 else None):
            if name in names:
                return name
        return None
