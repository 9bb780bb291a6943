"""How the embedded Ray head is started: its command line, its environment, its ports.

Everything listens on 127.0.0.1 and wants a token. ``--node-ip-address=127.0.0.1`` alone is not enough: Ray
replaces it by the machine's address unless ``RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0`` (``_private/services.py``
of Ray 2.59).
"""

from __future__ import annotations

import os
import re
import shlex
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import psutil

MARKER = "DAFTRAY_EMBEDDED_RAY"
"""A variable that every process of the head inherits, so that a stray one can be told from others."""

_FIRST_PORT, _PORTS, _PROBES = 20_000, 12_000, 200
"""Below the range that Linux gives to outgoing connections (32768 and up), above that of Ray's workers."""

_MIB = 1 << 20
_LEAST_STORE, _MOST_STORE = 256 * _MIB, 4096 * _MIB
_STORE_SHARE = 10
"""A tenth of the memory for shared objects: Ray's own default is a third, and this machine is shared."""

_PASSED_ON = re.compile(
    r"HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|XDG_\w+"
    r"|(?i:https?_proxy|all_proxy|no_proxy)"
    r"|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|GIT_SSL_CAINFO|AWS_CA_BUNDLE|PIP_\w+|UV_(?!PUBLISH)\w+"
    r"|LD_LIBRARY_PATH|CUDA_\w+|NVIDIA_\w+|ROCR_VISIBLE_DEVICES|HIP_VISIBLE_DEVICES"
)
"""What jobs may need of the machine: language, proxies, certificates, package indexes, accelerators.

Everything else stays behind: the server's environment holds its secrets, and jobs run other people's code.
"""


@dataclass(frozen=True, kw_only=True)
class HeadLayout:
    """Where one head keeps its things. ``root`` is the private folder, and the value of `MARKER`."""

    root: Path
    token_path: Path
    log_path: Path

    @property
    def temp_dir(self) -> Path:
        """Ray's own folder. Ray makes it writable for everybody, so it lies within a private one."""
        return self.root / "r"

    @property
    def jobs_temp_dir(self) -> Path:
        """Where jobs put temporary files: what a killed one leaves there goes with the head."""
        return self.root / "t"


def command(layout: HeadLayout, *, dashboard_port: int, client_port: int, num_cpus: int | None) -> list[str]:
    """Return the command line of a head that lives as long as its first process."""
    return [
        *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"),
        *("--node-ip-address=127.0.0.1", "--port=0"),
        *("--include-dashboard=true", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard_port}"),
        *("--dashboard-agent-listen-port=0", f"--ray-client-server-port={client_port}"),
        *("--min-worker-port=0", "--max-worker-port=0"),
        # The monitor scales clusters; this one has a single node.
        "--no-monitor",
        "--disable-usage-stats",
        f"--temp-dir={layout.temp_dir}",
        f"--object-store-memory={_object_store_bytes()}",
        *([] if num_cpus is None else [f"--num-cpus={num_cpus}"]),
    ]


def environment(layout: HeadLayout, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the head, and so of every job on it."""
    passed = {name: value for name, value in inherited.items() if _PASSED_ON.fullmatch(name)}
    return {
        **passed,
        "PATH": os.pathsep.join([str(_python_folder(layout)), inherited.get("PATH", os.defpath)]),
        MARKER: str(layout.root),
        "TMPDIR": str(layout.jobs_temp_dir),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(layout.token_path),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        # There is no monitor to tell what is free: so the GCS does (`daftray.adapters.rayjobs.resources`).
        "RAY_enable_autoscaler_v2": "1",
        # By default a fixed port, which the second head on a machine could not have.
        "DASHBOARD_METRIC_PORT": "-1",
    }


def free_port(seed: str) -> int:
    """Return a port that is free on loopback: the same for the same seed, unless somebody took it.

    Raises:
        OSError: none of many is free.
    """
    start = int.from_bytes(sha256(seed.encode()).digest()[:4])
    for step in range(_PROBES):
        port = _FIRST_PORT + (start + step) % _PORTS
        if port_is_free(port):
            return port
    raise OSError(f"none of {_PROBES} ports from {_FIRST_PORT + start % _PORTS} on is free")


def port_is_free(port: int) -> bool:
    """Tell whether a port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _python_folder(layout: HeadLayout) -> Path:
    """Return the folder whose ``python`` is this interpreter: entrypoints of jobs start with that word."""
    own = Path(sys.executable).parent
    if (own / "python").exists():
        return own
    folder = layout.root / "bin"
    folder.mkdir(exist_ok=True)
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    script.chmod(0o700)
    return folder


def _object_store_bytes() -> int:
    return min(max(psutil.virtual_memory().total // _STORE_SHARE, _LEAST_STORE), _MOST_STORE)
