"""The data folder: who may read it, who serves it, and the few files that clients look for there."""

from __future__ import annotations

import contextlib
import fcntl
import secrets
from collections.abc import Generator
from pathlib import Path

import msgspec

from daftray.domain.errors import DaftrayError

ADMIN_KEY = "admin-key"
ADDRESS = "server.json"
_MASTER_KEY = "master-key"
_LOCK = "serve.lock"
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600
_MASTER_KEY_BYTES = 32


class DataDirBusyError(DaftrayError):
    """Another daftray serves this data folder."""

    code = "data-dir-busy"


class DataDir:
    """The folder in which the server keeps everything that is not in a database or store of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def owned(self) -> Generator[None]:
        """Hold the folder for this process, and make it where there is none.

        Raises:
            DataDirBusyError: another process holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
        self.path.chmod(_PRIVATE_FOLDER)
        with (self.path / _LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise DataDirBusyError(
                    f"Another daftray serves {self.path}: stop it, or give this one another --data-dir."
                ) from exc
            yield

    @property
    def master_key_file(self) -> Path:
        """The file of the folder's own master keys, if they are there."""
        return self.path / _MASTER_KEY

    def made_master_key(self) -> Path:
        """Return the file of the folder's own master keys; the first key is made at the first start."""
        path = self.master_key_file
        if not path.exists():
            self._write_private(path, secrets.token_hex(_MASTER_KEY_BYTES) + "\n")
        return path

    def add_master_key(self) -> None:
        """Put a new key before the others. A server that goes on reads it at its next use."""
        path = self.master_key_file
        self._write_private(path, f"{secrets.token_hex(_MASTER_KEY_BYTES)}\n{path.read_text()}")

    def admin_key(self) -> str | None:
        """Return the admin's API key, if it was made here."""
        path = self.path / ADMIN_KEY
        return path.read_text().strip() if path.exists() else None

    def write_admin_key(self, key: str) -> None:
        """Keep the admin's API key for the clients on this machine."""
        self._write_private(self.path / ADMIN_KEY, key + "\n")

    def write_address(self, url: str) -> None:
        """Tell the clients on this machine where the server is."""
        self._write_private(self.path / ADDRESS, msgspec.json.encode({"url": url}).decode())

    def forget_address(self) -> None:
        """Say that the server is not there any more."""
        (self.path / ADDRESS).unlink(missing_ok=True)

    def _write_private(self, path: Path, text: str) -> None:
        """Write a file that only its owner ever could read, whole or not at all."""
        partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        partial.touch(mode=_PRIVATE_FILE)
        partial.write_text(text)
        partial.replace(path)
