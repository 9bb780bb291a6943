"""One Ray head on this machine: its folders, its first process, and the record that outlives the server.

All of this blocks; `LocalRay` calls it from a thread.
"""

from __future__ import annotations

import importlib.metadata
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from daftray.domain.errors import ClusterUnreachableError
from daftray.server import ray_process
from daftray.server.ray_command import HeadLayout, command, environment, free_port, port_is_free
from daftray.server.ray_process import HeadRecord, ProcessId

_LONGEST_ROOT = 34
"""Ray's sockets add up to 70 bytes to the private folder; a Unix socket's path has at most 104 (macOS)."""
_KEPT_SESSIONS = 1
_TAIL_BYTES = 2000
_PRIVATE = 0o700


class RayHead:
    """The head of a data folder. ``num_cpus`` is what Ray believes to have; by default the machine's."""

    def __init__(self, data_dir: Path, *, num_cpus: int | None = None) -> None:
        self._folder = data_dir.absolute() / "ray"
        self._num_cpus = num_cpus
        self._record_path = self._folder / "head.json"
        self._layout = HeadLayout(
            root=_private_root(data_dir),
            token_path=self._folder / "token",
            log_path=self._folder / "head.log",
        )
        self._record: HeadRecord | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def log_path(self) -> Path:
        """The file that holds what ``ray start`` printed."""
        return self._layout.log_path

    def prepare(self) -> str:
        """Make the folders and the token; return the token.

        Raises:
            ClusterUnreachableError: Ray is not installed, or somebody else has the folder.
        """
        _ray_version()
        for folder in (self._folder, self._layout.root, self._layout.jobs_temp_dir):
            folder.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
            _make_private(folder)
        return _token(self._layout.token_path)

    def recorded(self) -> HeadRecord | None:
        """Return what was noted of the head that runs or ran here."""
        return HeadRecord.load(self._record_path)

    def adopt(self, record: HeadRecord) -> bool:
        """Take over a head that still runs; not one of another Ray or Python than a new one would have."""
        mine = (str(self._layout.root), sys.executable, _ray_version())
        if (record.root, record.python, record.ray_version) != mine or record.head.find() is None:
            return False
        self._record = record
        return True

    def choose_port(self, preferred: int) -> int:
        """Return a free port for the dashboard: the preferred one (zero is none), if it is free."""
        if preferred and port_is_free(preferred):
            return preferred
        return free_port(str(self._layout.root))

    def spawn(self, port: int) -> None:
        """Start the head's first process. Old sessions' files go, but for the newest."""
        self._remove_old_sessions()
        arguments = command(
            self._layout,
            dashboard_port=port,
            client_port=free_port(f"{self._layout.root} client"),
            num_cpus=self._num_cpus,
        )
        with self._layout.log_path.open("wb") as output:
            self._child = subprocess.Popen(
                arguments,
                env=environment(self._layout, os.environ),
                cwd=self._layout.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A session of its own: a Ctrl-C at the terminal ends the server, which then ends Ray.
                start_new_session=True,
            )
        self._record = HeadRecord(
            head=ProcessId.of_pid(self._child.pid),
            dashboard_port=port,
            root=str(self._layout.root),
            ray_version=_ray_version(),
            python=sys.executable,
        )
        self._record.save(self._record_path)

    def alive(self) -> bool:
        """Tell whether the head's first process lives. Ray ends all others when one that matters dies."""
        if self._child is not None and self._child.poll() is not None:
            return False
        return self._record is not None and self._record.head.find() is not None

    def note_processes(self) -> None:
        """Note which processes the head has by now, so that none is lost should the server be killed."""
        if self._record is not None:
            self._record = ray_process.refreshed(self._record)
            self._record.save(self._record_path)

    def end(self) -> list[int]:
        """End all processes of the head; return the ids of what could not be ended."""
        record = self._record or self.recorded()
        known = (record.head, *record.known) if record is not None else ()
        left = ray_process.end(self._layout.root, known, head=record.head if record is not None else None)
        if self._child is not None and not left:
            self._child.wait()
        self._child = self._record = None
        self._record_path.unlink(missing_ok=True)
        return left

    def remove_files(self) -> None:
        """Remove what the head kept on disk; its last output stays, for whoever looks for a reason."""
        shutil.rmtree(self._layout.root, ignore_errors=True)

    def last_output(self) -> str:
        """Return the end of what ``ray start`` printed."""
        try:
            return self._layout.log_path.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()
        except FileNotFoundError:
            return ""

    def _remove_old_sessions(self) -> None:
        sessions = sorted(one for one in self._layout.temp_dir.glob("session_2*") if one.is_dir())
        for session in sessions[:-_KEPT_SESSIONS]:
            shutil.rmtree(session, ignore_errors=True)


def _private_root(data_dir: Path) -> Path:
    """Return a short folder that belongs to a data folder: sockets lie in it."""
    name = f"daftray-{sha256(str(data_dir.absolute()).encode()).hexdigest()[:10]}"
    system = Path(tempfile.gettempdir()).absolute()
    return (system if len(str(system / name)) <= _LONGEST_ROOT else Path("/tmp")) / name  # noqa: S108 (owner and mode are checked)


def _make_private(folder: Path) -> None:
    """Make sure that a folder is ours alone.

    Its name in the system's temporary folder can be guessed, so somebody else may have put a folder or link
    of theirs there, and swap the two while we look. So it is looked at once, through a descriptor. What then
    is ours nobody can replace: the temporary folder is sticky.

    Raises:
        ClusterUnreachableError: somebody else has it.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as exc:
        raise _not_ours(folder) from exc
    try:
        if os.fstat(descriptor).st_uid != os.getuid():
            raise _not_ours(folder)
        os.fchmod(descriptor, _PRIVATE)
    finally:
        os.close(descriptor)


def _not_ours(folder: Path) -> ClusterUnreachableError:
    return ClusterUnreachableError(
        f"The embedded Ray cannot use {folder}, which belongs to somebody else: remove it, "
        "or set TMPDIR to a folder of yours."
    )


def _token(path: Path) -> str:
    """Return the token of a file, which is made where there is none."""
    if not path.exists():
        partial = path.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(secrets.token_hex(32))
        partial.replace(path)
    return path.read_text().strip()


def _ray_version() -> str:
    try:
        return importlib.metadata.version("ray")
    except importlib.metadata.PackageNotFoundError as exc:
        raise ClusterUnreachableError(
            "The embedded Ray is not installed: pip install 'daftray[server,local]', or give the address "
            "of a Ray cluster's dashboard by --ray http://HOST:8265."
        ) from exc
