"""A folder of the server's own disk as a source, where its operator allows that."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from daftray.domain.errors import SourceDeniedError, SourceNotFoundError, SourceRefusedError
from daftray.domain.ports import TreeFile
from daftray.runtime_env.links import MAX_BYTES, MAX_FILES
from daftray.runtime_env.zips import too_large

_LEFT_OUT = frozenset({".git", "__pycache__"})
_VIRTUAL_ENVIRONMENT = "pyvenv.cfg"  # PEP 405


def read_directory(path: Path) -> list[TreeFile]:
    """Return a folder's files and links, without ``.git``, byte code and virtual environments.

    Raises:
        SourceNotFoundError: there is no such folder.
        SourceDeniedError: the server may not read it.
        SourceRefusedError: the path is relative.
        SourceTooLargeError: it holds more than a package can.
    """
    if not path.is_absolute():
        raise SourceRefusedError(f"{str(path)!r} is relative, but to what? Give the folder's absolute path.")
    if not path.is_dir():
        raise SourceNotFoundError(f"The server has no folder {path}: check the path, on the server's disk.")
    try:
        return _read(path)
    except PermissionError as exc:
        raise SourceDeniedError(f"The server may not read {exc.filename}: give its user access.") from exc
    except FileNotFoundError as exc:
        raise SourceNotFoundError(f"{exc.filename} went away while it was read: run it again.") from exc


def _read(root: Path) -> list[TreeFile]:
    found = list(islice(_walk(root), MAX_FILES + 1))
    sizes = [(path.relative_to(root).as_posix(), path.lstat().st_size) for path in found]
    if len(found) > MAX_FILES or sum(size for _, size in sizes) > MAX_BYTES:
        raise too_large(
            sizes, f"{root} holds more than a package can: {MAX_FILES} files, {MAX_BYTES >> 20} MiB"
        )
    return [_file(path, root) for path in found]


def _walk(root: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for name, folders, names in os.walk(root, onerror=fail):
        here = Path(name)
        links = [folder for folder in folders if (here / folder).is_symlink()]
        folders[:] = [
            folder
            for folder in folders
            if folder not in _LEFT_OUT and not (here / folder / _VIRTUAL_ENVIRONMENT).is_file()
        ]
        for one in sorted([*names, *links]):
            kind = (here / one).lstat().st_mode
            if one not in _LEFT_OUT and (stat.S_ISREG(kind) or stat.S_ISLNK(kind)):
                yield here / one


def _file(path: Path, root: Path) -> TreeFile:
    name = path.relative_to(root).as_posix()
    if path.is_symlink():
        return TreeFile(path=name, target=str(path.readlink()))
    executable = bool(path.stat().st_mode & stat.S_IXUSR)
    return TreeFile(path=name, executable=executable, data=path.read_bytes())
