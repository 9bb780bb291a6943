"""Files as one zip, the same bytes for the same files: that is what makes a package's name its content.

Ray unpacks with Python's ``zipfile`` and then sets each file's mode from the archive; for ``gcs://`` it
keeps a single top folder (``ray/_private/runtime_env/packaging.py``).
"""

from __future__ import annotations

import hashlib
import ntpath
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path

from daftray.domain.errors import SourceRefusedError, SourceTooLargeError
from daftray.domain.ports import TreeFile

LARGEST_ZIP = 100 << 20
"""Bytes that Ray takes in one PUT (``DASHBOARD_CLIENT_MAX_SIZE``)."""
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_LEVEL = 6
_UNIX = 3
_MIB = 1 << 20
_SHOWN = 10


def write_zip(files: Sequence[TreeFile], target: Path) -> None:
    """Write files, none of which is a link, to a new zip, in the order of their paths.

    Raises:
        SourceTooLargeError: the zip is larger than Ray takes.
        SourceRefusedError: a path is not UTF-8.
    """
    with (
        target.open("wb") as raw,
        zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive,
    ):
        for file in sorted(files, key=lambda one: one.path):
            archive.writestr(_entry(file), file.data)
            if raw.tell() > LARGEST_ZIP:
                break
    if target.stat().st_size > LARGEST_ZIP:
        sizes = [(file.path, len(file.data)) for file in files]
        raise too_large(
            sizes, f"The run's package is larger than the {LARGEST_ZIP // _MIB} MiB that Ray takes"
        )


def content_name(path: Path) -> str:
    """Return the name that a zip gets from its content."""
    with path.open("rb") as opened:
        return f"{hashlib.file_digest(opened, 'sha256').hexdigest()}.zip"


def unpackable(path: str) -> bool:
    """Whether Ray unpacks a file of that path: it passes silently over what Windows would read otherwise."""
    return not ("\\" in path or ntpath.isabs(path) or ntpath.splitdrive(path)[0])


def too_large(sizes: Sequence[tuple[str, int]], told: str) -> SourceTooLargeError:
    """Return the error that names the largest files, of pairs of path and bytes."""
    largest = sorted(sizes, key=lambda one: (-one[1], one[0]))[:_SHOWN]
    listed = ", ".join(f"{path} ({size / _MIB:.1f} MiB)" for path, size in largest)
    return SourceTooLargeError(
        f"{told}. The largest files are {listed}. Keep data in an object store and read it from there, or "
        "leave it out of the package (export-ignore in .gitattributes)."
    )


def _entry(file: TreeFile) -> zipfile.ZipInfo:
    try:
        file.path.encode()
    except UnicodeEncodeError as exc:
        raise SourceRefusedError(
            f"The path {file.path!r} of the source is not UTF-8: rename that file."
        ) from exc
    entry = zipfile.ZipInfo(file.path, date_time=_EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = _UNIX
    entry.external_attr = (stat.S_IFREG | (0o755 if file.executable else 0o644)) << 16
    return entry
