"""How a secret reaches Git: by files that only this server's user can read, for as long as one command needs.

Not by a URL, an argument or a variable: those can be seen in process lists, traces and error texts. A token
goes through a script that Git asks (``GIT_ASKPASS``), a private key through a configuration of ssh.
"""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from daftray.adapters.gitrepo.scrubbing import DEFAULT_USER
from daftray.adapters.gitrepo.transport import Remote
from daftray.domain.errors import SourceRefusedError

_ASKPASS = """\
#!/bin/sh
# Git asks for a user name and a password; both lie beside this script.
here=$(dirname "$0")
case "$1" in
  Username*) cat "$here/user" ;;
  *) cat "$here/token" ;;
esac
"""


def is_private_key(credential: str) -> bool:
    """Whether a credential is a private key in PEM form, and not a token."""
    return credential.lstrip().startswith("-----BEGIN ")


def check_fits(remote: Remote, credential: str | None) -> None:
    """Refuse a credential of the wrong kind for its remote.

    Raises:
        SourceRefusedError: it is, and the text says which kind is needed.
    """
    if credential is None or remote.transport == "file":
        return
    key = is_private_key(credential)
    if remote.transport == "ssh" and not key:
        raise SourceRefusedError(
            "An ssh remote needs a private key (PEM) as its credential, and the project's secret holds none: "
            "store a deploy key, or use the https URL with a token."
        )
    if remote.transport != "ssh" and key:
        raise SourceRefusedError(
            "An https remote needs a token as its credential, and the project's secret holds a private key: "
            "store a token, or use the ssh URL with that key."
        )


@contextmanager
def access(
    remote: Remote, credential: str | None, *, root: Path, addresses: Sequence[str]
) -> Generator[Mapping[str, str]]:
    """Give the variables by which Git may speak to that remote, and only to it, for the length of a block.

    ``addresses`` are those of the host that were checked; ssh is made to use the first of them.
    """
    variables = {"GIT_ALLOW_PROTOCOL": remote.transport}
    if remote.transport == "file" or (remote.transport != "ssh" and not credential):
        yield variables
        return
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = Path(tempfile.mkdtemp(dir=root))  # mode 0700
    try:
        with FileLock(folder / "in-use"):
            if remote.transport == "ssh":
                yield variables | _ssh(folder, remote, credential, root=root, addresses=addresses)
            else:
                yield variables | _askpass(folder, remote, credential or "")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(root: Path) -> None:
    """Remove what a server that was killed has left: folders that nobody holds."""
    for folder in root.iterdir() if root.is_dir() else ():
        if not folder.is_dir():
            continue
        try:
            with FileLock(folder / "in-use", timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
        except Timeout:
            continue  # another process uses it right now


def _askpass(folder: Path, remote: Remote, token: str) -> dict[str, str]:
    _write(folder / "token", token.strip() + "\n")
    _write(folder / "user", (remote.user or DEFAULT_USER) + "\n")
    script = folder / "askpass"
    _write(script, _ASKPASS, mode=0o700)
    return {"GIT_ASKPASS": str(script)}


def _ssh(
    folder: Path, remote: Remote, key: str | None, *, root: Path, addresses: Sequence[str]
) -> dict[str, str]:
    """Make ssh use this key and no other, ask nobody, and note host keys in a file of the server's own."""
    lines = [
        "BatchMode yes",
        "IdentitiesOnly yes",
        "IdentityAgent none",
        f"IdentityFile {_quoted(folder / 'key') if key else 'none'}",
        "StrictHostKeyChecking accept-new",
        f"UserKnownHostsFile {_quoted(root.parent / 'known_hosts')}",
        "UpdateHostKeys no",
        "ConnectTimeout 20",
        "ServerAliveInterval 15",
        "ServerAliveCountMax 4",
        "ForwardAgent no",
        "ClearAllForwardings yes",
        "PermitLocalCommand no",
        "ControlPath none",
        "EscapeChar none",
    ]
    if addresses:
        lines += [f"HostName {addresses[0]}", f"HostKeyAlias {_alias(remote)}"]
    if key:
        _write(folder / "key", key.strip().replace("\r\n", "\n") + "\n")
    _write(folder / "config", "\n".join(lines) + "\n")
    command = f"ssh -F {shlex.quote(str(folder / 'config'))}"
    return {"GIT_SSH_COMMAND": command, "GIT_SSH_VARIANT": "ssh"}


def _alias(remote: Remote) -> str:
    """Return the name under which ssh itself would note the host's key."""
    return f"[{remote.host}]:{remote.port}" if remote.port not in {None, 22} else remote.host


def _quoted(path: Path) -> str:
    text = str(path)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def _write(path: Path, text: str, *, mode: int = 0o600) -> None:
    path.touch(mode=mode)
    path.write_text(text)
