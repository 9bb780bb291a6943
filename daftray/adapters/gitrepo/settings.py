"""What the server's Git obeys: its own settings file and environment, and nobody else's.

The settings of whoever started the server (hooks, helpers, aliases, stored credentials) are not meant for
the remotes of its users, and those that a repository brings along must never run anything.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

_CONFIG = """\
[safe]
	directory = *
[core]
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
	fsmonitor = false
	autocrlf = false
[protocol]
	allow = never
	version = 2
[http]
	followRedirects = false
[transfer]
	bundleURI = false
[gc]
	autoDetach = false
[maintenance]
	autoDetach = false
"""
# Variables of Git that an operator sets for the machine: certificates, proxies, the place of Git's programs.
_KEPT = frozenset(
    {
        "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH",
        "GIT_SSL_CERT",
        "GIT_SSL_KEY",
        "GIT_SSL_NO_VERIFY",
        "GIT_HTTP_PROXY_AUTHMETHOD",
        "GIT_PROXY_SSL_CAINFO",
        "GIT_PROXY_SSL_CERT",
        "GIT_PROXY_SSL_KEY",
        "GIT_EXEC_PATH",
    }
)


class GitSettings:
    """Git's settings file and empty home in a folder of the server's own."""

    def __init__(self, root: Path) -> None:
        self._config = root / "gitconfig"
        self._home = root / "home"

    def prepare(self) -> None:
        """Write what is not there as it should be."""
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._config.is_file() or self._config.read_text() != _CONFIG:
            fresh = self._config.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            fresh.write_text(_CONFIG)
            fresh.replace(self._config)

    def environment(self) -> dict[str, str]:
        """Return the variables that make Git obey them."""
        home = str(self._home)
        return {
            "HOME": home,  # no ~/.netrc, ~/.gitconfig, ~/.config/git
            "XDG_CONFIG_HOME": home,
            "GIT_CONFIG_GLOBAL": str(self._config),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",  # empty, not unset: SSH_ASKPASS would be asked
            "GIT_TRACE_REDACT": "1",
            "GIT_OPTIONAL_LOCKS": "0",
        }

    def prefix(self) -> list[str]:
        """Return what takes foreign variables of Git out of a command's environment, where there are any.

        ``GIT_DIR``, ``GIT_CONFIG_COUNT`` or ``GIT_TRACE`` of the server's own environment are not meant for
        us, and GitPython can only add to the environment. The server's own settings, its master key among
        them, are none of Git's business, nor of ssh's.
        """
        foreign = sorted(
            name for name in os.environ if name.startswith(("GIT_", "DAFTRAY_")) and name not in _KEPT
        )
        return ["env", *(part for name in foreign for part in ("-u", name))] if foreign else []
