"""Where the master keys come from: the environment, a file, a command (a KMS), or the data folder."""

from __future__ import annotations

import logging
import os
import shlex
import stat
import subprocess
from pathlib import Path

from daftray.adapters.vault.key_ring import KeyRing
from daftray.domain.errors import DaftrayError
from daftray.server.data_dir import DataDir
from daftray.server.settings import SHORTEST_MASTER_KEY, ServerSettings, keys_in

COMMAND_TIMEOUT_S = 30
_LARGEST_FILE = 64 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_log = logging.getLogger(__name__)


class MasterKeyError(DaftrayError):
    """The master key cannot be had from where the settings say."""

    code = "master-key-unavailable"


def key_ring(settings: ServerSettings, folder: DataDir, *, make: bool = True) -> KeyRing:
    """Return the master keys; those of a file are read again when it changes.

    ``make`` says whether a data folder without a key gets one, where the settings name none.

    Raises:
        MasterKeyError: they cannot be had, or are not safe where they are.
    """
    if settings.master_key is not None and settings.master_key.get_secret_value():
        return KeyRing.of(*_checked(settings.master_key.get_secret_value(), "DAFTRAY_MASTER_KEY"))
    if settings.master_key_file is not None:
        return KeyRing(KeyFile(settings.master_key_file))
    if settings.master_key_command:
        return KeyRing.of(*keys_of_command(settings.master_key_command))
    return KeyRing(KeyFile(folder.made_master_key() if make else folder.master_key_file))


class KeyFile:
    """The keys in a file, one a line, newest first; ``#`` begins a remark.

    It must belong to the server's user, and be closed to everybody else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._signature, self._keys = self._taken()

    def __call__(self) -> tuple[bytes, ...]:
        """Return the keys as they are now. What cannot be read any more stays as it was."""
        try:
            if _signature(self._path.stat()) != self._signature:
                self._signature, self._keys = self._taken()
        except (MasterKeyError, OSError) as exc:
            _log.warning("The master keys stay as they were: %s", exc)
        return self._keys

    def _taken(self) -> tuple[tuple[int, ...], tuple[bytes, ...]]:
        try:
            with self._path.open("rb") as file:
                facts = os.fstat(file.fileno())
                self._check(facts)
                text = file.read(_LARGEST_FILE).decode()
        except (OSError, UnicodeDecodeError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else "it is no text"
            raise MasterKeyError(f"The master key file {self._path} cannot be read: {why}.") from None
        lines = (line.partition("#")[0] for line in text.splitlines())
        return _signature(facts), _checked("\n".join(lines), str(self._path))

    def _check(self, facts: os.stat_result) -> None:
        if not stat.S_ISREG(facts.st_mode):
            raise MasterKeyError(f"The master key file {self._path} is no file.")
        if facts.st_uid != os.geteuid():
            raise MasterKeyError(
                f"The master key file {self._path} belongs to another user: give it to the one that the "
                "server runs as (chown)."
            )
        if facts.st_mode & _OTHERS:
            mode = f"{stat.S_IMODE(facts.st_mode):04o}"
            raise MasterKeyError(
                f"The master key file {self._path} is open to others (mode {mode}): "
                f"chmod 600 {shlex.quote(str(self._path))}"
            )


def keys_of_command(command: str) -> tuple[bytes, ...]:
    """Return the keys that a command prints. No shell runs it; what it prints elsewhere goes nowhere.

    Raises:
        MasterKeyError: it fails, takes too long, or prints no key.
    """
    try:
        arguments = shlex.split(command)
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    # The errors hold the command and what it printed, which may be keys: nothing of them is passed on.
    except (ValueError, IndexError):
        raise MasterKeyError("DAFTRAY_MASTER_KEY_COMMAND is no command line: mind its quotes.") from None
    except OSError as exc:
        raise MasterKeyError(f"DAFTRAY_MASTER_KEY_COMMAND cannot be started: {exc.strerror}.") from None
    except subprocess.TimeoutExpired:
        raise MasterKeyError(
            f"DAFTRAY_MASTER_KEY_COMMAND took more than {COMMAND_TIMEOUT_S} s: run it by hand to see why."
        ) from None
    if done.returncode != 0:
        raise MasterKeyError(
            f"DAFTRAY_MASTER_KEY_COMMAND ended with code {done.returncode}: run it by hand to see why."
        )
    return _checked(done.stdout.decode(errors="replace"), "the output of DAFTRAY_MASTER_KEY_COMMAND")


def _checked(text: str, source: str) -> tuple[bytes, ...]:
    keys = keys_in(text)
    if not keys:
        raise MasterKeyError(f"There is no master key in {source}.")
    if any(len(key) < SHORTEST_MASTER_KEY for key in keys):
        raise MasterKeyError(
            f"A master key in {source} is too short: give at least {SHORTEST_MASTER_KEY} random characters."
        )
    return tuple(key.encode() for key in keys)


def _signature(facts: os.stat_result) -> tuple[int, ...]:
    return facts.st_dev, facts.st_ino, facts.st_mtime_ns, facts.st_size, facts.st_mode, facts.st_uid
