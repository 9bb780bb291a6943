"""Symbolic links of a tree, made into what they point to: Ray unpacks a link as a file of its target's name.

A link to a file becomes that file; a link to a folder becomes that folder's files. A link that leaves the
tree is refused, since on another machine it points at something else, or at something private. A link that
points at nothing, or around in a circle, is left out with a warning, for it is of no use there either.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

import msgspec

from daftray.domain.errors import SourceRefusedError, SourceTooLargeError
from daftray.domain.ports import TreeFile

MAX_FILES = 200_000
"""Files of a package. Links to folders that hold links to folders multiply, so there has to be an end."""
MAX_BYTES = 512 << 20
"""Bytes of a package's files, unpacked."""
_MAX_HOPS = 40
"""As many links as Linux follows before it gives up (``ELOOP``)."""
_SHOWN = 5


class _LeavesTreeError(Exception):
    """A link leads out of the tree."""


def without_links(files: Iterable[TreeFile]) -> tuple[list[TreeFile], list[str]]:
    """Return the files with every link replaced, by path, and warnings about those left out.

    Raises:
        SourceRefusedError: a link leaves the tree.
        SourceTooLargeError: the links multiply the files beyond every bound.
    """
    tree = _Tree(files)
    if not tree.has_links:
        return tree.plain(), []
    flat, useless = _Flattening(tree).run()
    if not useless:
        return flat, []
    some = ", ".join(useless[:_SHOWN]) + (", …" if len(useless) > _SHOWN else "")
    return flat, [f"{len(useless)} links that point at nothing, or at themselves, are left out: {some}"]


class _Tree:
    """The files of a tree by folder, so that links can be followed through it."""

    def __init__(self, files: Iterable[TreeFile]) -> None:
        self._files = {file.path: file for file in files}
        self._entries: dict[str, set[str]] = {"": set()}
        self.has_links = any(file.target is not None for file in self._files.values())
        for path in self._files:
            self._enter(path)

    def plain(self) -> list[TreeFile]:
        """Return the files by path."""
        return [self._files[path] for path in sorted(self._files)]

    def file(self, path: str) -> TreeFile | None:
        """Return the file, or link, of that path."""
        return self._files.get(path)

    def entries(self, folder: str) -> list[str]:
        """Return the paths of what is in a folder."""
        return sorted(posixpath.join(folder, name) for name in self._entries[folder])

    def resolve(self, link: TreeFile) -> str | None:
        """Return the path of the file or folder that a link means in the end, if there is one.

        Raises:
            _LeavesTreeError: on the way there, the tree is left.
        """
        here, hops = posixpath.dirname(link.path), 1
        ahead = _steps(link)
        while ahead:
            step = ahead.pop()
            if step == ".":
                continue  # no move; but what stands before it had to be a folder
            if step == ".." and not here:
                raise _LeavesTreeError
            here = posixpath.dirname(here) if step == ".." else posixpath.join(here, step)
            found = self._files.get(here)
            if found is not None and found.target is not None:
                hops += 1
                if hops > _MAX_HOPS:
                    return None
                ahead += _steps(found)
                here = posixpath.dirname(here)
            elif here not in self._entries and (found is None or ahead):
                return None
        return here

    def _enter(self, path: str) -> None:
        """Note a path in its folder, and that in its own, up to the first that is known already."""
        climbing = True
        while path and climbing:
            folder: str = posixpath.dirname(path)
            name = posixpath.basename(path)
            climbing = folder not in self._entries
            self._entries.setdefault(folder, set()).add(name)
            path = folder


def _steps(link: TreeFile) -> list[str]:
    """Return the parts of a link's target, the first one last."""
    target = link.target or ""
    if target.startswith("/"):
        raise _LeavesTreeError
    return [step or "." for step in reversed(target.split("/"))]


class _Flattening:
    """One walk through a tree and its links. ``path`` is where a thing appears, ``real`` where it is."""

    def __init__(self, tree: _Tree) -> None:
        self._tree = tree
        self._flat: list[TreeFile] = []
        self._useless: list[str] = []
        self._seen = 0
        self._bytes = 0

    def run(self) -> tuple[list[TreeFile], list[str]]:
        """Return the files by path, and the paths of links that are of no use."""
        waiting: list[tuple[str, str, frozenset[str]]] = [("", "", frozenset({""}))]
        while waiting:
            folder, real_folder, above = waiting.pop()
            for real in self._tree.entries(real_folder):
                path = posixpath.join(folder, posixpath.basename(real))
                meant = self._meant(real)
                self._count(path)
                if meant is None or meant in above:
                    self._useless.append(path)
                elif (file := self._tree.file(meant)) is not None:
                    self._bytes += len(file.data)
                    self._flat.append(msgspec.structs.replace(file, path=path))
                else:
                    waiting.append((path, meant, above | {meant}))
        return sorted(self._flat, key=lambda file: file.path), sorted(self._useless)

    def _meant(self, real: str) -> str | None:
        file = self._tree.file(real)
        if file is None or file.target is None:
            return real
        try:
            return self._tree.resolve(file)
        except _LeavesTreeError:
            raise SourceRefusedError(
                f"The link {file.path} leads out of the source, to {file.target!r}, which the cluster "
                "does not have: replace it by the file itself, or remove it."
            ) from None

    def _count(self, path: str) -> None:
        self._seen += 1
        if self._seen > MAX_FILES or self._bytes > MAX_BYTES:
            raise SourceTooLargeError(
                f"Following the links of the source gives more than {MAX_FILES} files or {MAX_BYTES >> 20} "
                f"MiB, for instance {path}: remove links to folders."
            )
