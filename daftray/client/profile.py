"""Which server is meant, and with which key: found, never guessed.

The address comes from the first of: the caller, ``DAFTRAY_URL``, the profile, the server of the data
directory. The key comes from the caller or ``DAFTRAY_API_KEY``; a key that is kept in a profile or in a data
directory is only ever sent to the address that is kept beside it, and so are the tokens of a sign-in, which
count where there is no key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from daftray.client.errors import NotConfiguredError
from daftray.client.profile_file import Profile, profile_name, profile_path, read_profile
from daftray.client.signed_in import SignIn
from daftray.domain.project import DEFAULT_WORKSPACE

DEFAULT_URL = "http://127.0.0.1:8484"
"""Where ``daftray serve`` listens unless it is told otherwise."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A server, the key or the sign-in that opens it, and the place in it that calls mean."""

    base_url: str
    api_key: str | None = None
    sign_in: SignIn | None = None
    workspace: str = DEFAULT_WORKSPACE
    project: str | None = None

    def __repr__(self) -> str:
        """Leave the key out: a repr ends up in logs."""
        return f"Address(base_url={self.base_url!r}, workspace={self.workspace!r}, project={self.project!r})"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller said; what it did not say is looked up."""

    base_url: str | None = None
    api_key: str | None = None
    workspace: str | None = None
    project: str | None = None
    profile: str | None = None

    def __repr__(self) -> str:
        """Leave the key out: a repr ends up in logs."""
        return f"Wanted(base_url={self.base_url!r}, profile={self.profile!r})"


def find_address(wanted: Wanted, environ: Mapping[str, str] = os.environ) -> Address:
    """Return the address that the caller, the environment, the profile or the data directory give.

    A profile that the caller names goes before the environment's address and key.

    Raises:
        NotConfiguredError: there is none, or there is no key for it.
    """
    path = profile_path(environ)
    profile = read_profile(path, wanted.profile or environ.get("DAFTRAY_PROFILE"))
    local = read_data_dir(environ)
    if wanted.profile:
        base_url = wanted.base_url or profile.url
        api_key = wanted.api_key
    else:
        base_url = wanted.base_url or environ.get("DAFTRAY_URL") or profile.url or local.url
        api_key = wanted.api_key or environ.get("DAFTRAY_API_KEY")
    if not base_url:
        raise NotConfiguredError(
            "No daftray server is known. Start one here with `daftray serve`, or set DAFTRAY_URL and"
            " DAFTRAY_API_KEY, or keep both with `daftray profile set URL`."
        )
    sign_in = None
    if not api_key:
        api_key = _kept_key(base_url, profile, local)
    if api_key is None:
        sign_in = SignIn(path=path, profile=profile_name(path, wanted.profile, environ))
    return Address(
        base_url=check_url(base_url),
        api_key=api_key,
        sign_in=sign_in,
        workspace=wanted.workspace or profile.workspace or DEFAULT_WORKSPACE,
        project=wanted.project or environ.get("DAFTRAY_PROJECT") or profile.project,
    )


def read_data_dir(environ: Mapping[str, str] = os.environ) -> Profile:
    """Return the address and key that a server of this machine left in its data directory, if one did."""
    folder = data_dir(environ)
    try:
        key = (folder / "admin-key").read_text("utf-8").strip()
    except OSError:
        return Profile()
    try:
        url = msgspec.json.decode((folder / "server.json").read_bytes(), type=Profile).url
    except (OSError, msgspec.DecodeError):
        url = None
    return Profile(url=url or DEFAULT_URL, api_key=key or None)


def data_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the server's data directory: ``DAFTRAY_DATA_DIR``, or the XDG default."""
    if named := environ.get("DAFTRAY_DATA_DIR"):
        return Path(named).expanduser()
    home = environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path("~/.local/share").expanduser()) / "daftray"


def check_url(base_url: str) -> str:
    """Return a server's address as it is kept. Raises `NotConfiguredError` where it is none."""
    parts = urlsplit(base_url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise NotConfiguredError(
            f"{base_url!r} is no server's address: write it as https://HOST or http://HOST:PORT."
        )
    return base_url.rstrip("/")


def same_server(one: str, other: str) -> bool:
    """Tell whether two addresses are of the same server."""
    return _origin(one) == _origin(other)


def _kept_key(base_url: str, *keepers: Profile) -> str | None:
    """Return the key that is kept beside an address, or nothing where a sign-in is."""
    for keeper in keepers:
        if keeper.url and same_server(keeper.url, base_url):
            if keeper.api_key:
                return keeper.api_key
            if keeper.refresh_token:
                return None
    raise NotConfiguredError(
        f"There is no API key for {base_url}. Sign in with `daftray login {base_url}`, set DAFTRAY_API_KEY,"
        f" or keep a key with `daftray profile set {base_url}`."
    )


def _origin(url: str) -> tuple[str, str, int | None]:
    """Return what makes two addresses the same server; every loopback name is the same host."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return (
        parts.scheme,
        "loopback" if host in _LOOPBACK else host,
        parts.port or _DEFAULT_PORTS.get(parts.scheme),
    )
