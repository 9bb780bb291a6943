"""Which Git remotes daftray uses, judged by their address alone.

Git takes many things for a remote: URLs of a dozen schemes, commands (``ext::``), helpers of any name
(``foo::``), options (``--upload-pack=...``), paths. daftray takes https and ssh, and, where the operator
allows local remotes, paths of the server's disk, ``file://`` and ``http://``. Everything else is refused
before any process sees it.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from daftray.adapters.gitrepo.addresses import check_name
from daftray.domain.errors import SourceRefusedError

Transport = Literal["https", "http", "ssh", "file"]

ALLOW_LOCAL = "DAFTRAY_ALLOW_LOCAL_REMOTES=1"
_LONGEST = 4096
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
_SCP = re.compile(r"^(?:(?P<user>[^@/:]+)@)?(?P<host>[^@/:]+):(?P<path>.+)")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?")
_SSH_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_BRACKETS = re.compile(r"\[[^\]]*\]")
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_TOKEN = re.compile(r"^(gh[a-z]_|github_pat_|glpat-|ATBB|ATCTT)|^.{30}")
_USE = "use https://host/path, ssh://user@host/path or user@host:path"


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A remote that may be used. ``prefix`` + ``path`` is what Git is given."""

    transport: Transport
    prefix: str
    path: str
    host: str = ""
    port: int | None = None
    user: str = ""

    @property
    def url(self) -> str:
        """The remote as Git takes it."""
        return self.prefix + self.path

    @property
    def local(self) -> bool:
        """Whether the operator had to allow it."""
        return self.transport in {"file", "http"}

    @property
    def origin(self) -> tuple[str, str, int | None]:
        """Whom a credential is for: it is never sent to another one."""
        return (self.transport, self.host.lower(), self.port)

    def beside(self, url: str) -> str:
        """Return the remote of a submodule whose URL may be relative to this one's (gitmodules(5)).

        Raises:
            SourceRefusedError: the URL climbs above the host's root.
        """
        if not url.startswith(("./", "../")):
            return url
        root = "/" if self.path.startswith("/") else ""
        parts = [part for part in self.path.split("/") if part]
        for step in url.split("/"):
            if step == ".." and not parts:
                raise SourceRefusedError(
                    f"The submodule's URL {url!r} leads above its host: mend .gitmodules."
                )
            if step == "..":
                parts.pop()
            elif step not in {"", "."}:
                parts.append(step)
        return self.prefix + root + "/".join(parts)


def shown(remote: str) -> str:
    """Return a remote as it may stand in a message: short, printable, without user and password."""
    text = _USERINFO.sub("", remote)
    return repr(text if len(text) <= 200 else text[:200] + "…")  # noqa: PLR2004 (long enough to recognise)


def parse(remote: str, *, allow_local: bool) -> Remote:
    """Return a remote that may be used.

    Raises:
        SourceRefusedError: it may not, and the text says what to do instead.
    """
    _check_text(remote)
    if scheme := _SCHEME.match(remote):
        parsed = _of_url(remote, scheme[1].lower())
    elif remote.startswith("/"):
        parsed = Remote(transport="file", prefix="", path=remote)
    elif scp := _SCP.fullmatch(remote):
        parsed = _of_scp(remote, scp)
    else:
        raise SourceRefusedError(f"{shown(remote)} is no Git remote: {_USE}.")
    if parsed.local and not allow_local:
        kind = "plain http" if parsed.transport == "http" else "local"
        raise SourceRefusedError(
            f"This server does not use {kind} remotes such as {shown(remote)}: {_USE}, or ask its operator "
            f"for {ALLOW_LOCAL}."
        )
    if not allow_local:
        check_name(parsed.host)
    return parsed


def _check_text(remote: str) -> None:
    if not remote or len(remote) > _LONGEST:
        raise SourceRefusedError(f"The Git remote is empty or longer than {_LONGEST} characters: {_USE}.")
    if remote != remote.strip() or not remote.isprintable():
        raise SourceRefusedError(
            f"The Git remote {shown(remote)} holds control characters, or spaces at its ends: remove them."
        )
    if remote.startswith("-"):
        raise SourceRefusedError(f"{shown(remote)} is an option, no Git remote: {_USE}.")
    if "::" in _BRACKETS.sub("", remote):
        raise SourceRefusedError(
            f"{shown(remote)} names a Git remote helper, which can run any command: {_USE}."
        )


def _of_url(remote: str, scheme: str) -> Remote:
    if scheme == "file":
        return _of_file_url(remote)
    if scheme not in {"https", "http", "ssh"}:
        raise SourceRefusedError(f"daftray does not use {scheme}:// remotes: {_USE}.")
    try:
        parts = urlsplit(remote)
        host, port = parts.hostname or "", parts.port
    except ValueError as exc:
        raise SourceRefusedError(f"{shown(remote)} is no valid URL: {_USE}.") from exc
    if re.search(r"[\s\\#?]", remote) or parts.netloc.count("@") > 1:
        raise SourceRefusedError(
            f"{shown(remote)} holds a space, a backslash, a query, a fragment or two user names: {_USE}."
        )
    _check_host(host, remote)
    _check_user(parts.username, parts.password, scheme=scheme, remote=remote)
    if not parts.path.strip("/") or parts.path.startswith("/-"):
        raise SourceRefusedError(f"{shown(remote)} has no path of a repository: {_USE}.")
    prefix = f"{scheme}://{parts.netloc}"
    user = unquote(parts.username or "")
    transport: Transport = "ssh" if scheme == "ssh" else "http" if scheme == "http" else "https"
    return Remote(transport=transport, prefix=prefix, path=parts.path, host=host, port=port, user=user)


def _of_file_url(remote: str) -> Remote:
    parts = urlsplit(remote)
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
        raise SourceRefusedError(f"{shown(remote)} names no absolute path: write file:///path.")
    return Remote(transport="file", prefix="", path=unquote(remote[len("file://") + len(parts.netloc) :]))


def _of_scp(remote: str, found: re.Match[str]) -> Remote:
    host, user, path = found["host"], found["user"] or "", found["path"]
    _check_host(host, remote)
    _check_user(user or None, None, scheme="ssh", remote=remote)
    if path.startswith("-"):
        raise SourceRefusedError(f"The path of {shown(remote)} looks like an option: {_USE}.")
    prefix = f"{user}@{host}:" if user else f"{host}:"
    return Remote(transport="ssh", prefix=prefix, path=path, host=host, user=user)


def _check_host(host: str, remote: str) -> None:
    if _HOST.fullmatch(host):
        return
    try:
        ipaddress.IPv6Address(host)
    except ValueError as exc:
        raise SourceRefusedError(
            f"{shown(remote)} has no valid host name (give one of letters, digits, dots and hyphens): {_USE}."
        ) from exc
    if "%" in host:
        raise SourceRefusedError(f"{shown(remote)} names a network interface: {_USE}.")


def _check_user(user: str | None, password: str | None, *, scheme: str, remote: str) -> None:
    if password is not None or (user and scheme != "ssh" and _TOKEN.match(user)):
        raise SourceRefusedError(
            f"The remote {shown(remote)} was given with a credential in its URL, where it could not be kept "
            "secret: revoke that credential, remove it from the URL, store a new one as a project secret and "
            "name that secret as the credential of the project's source."
        )
    if user and scheme == "ssh" and not _SSH_USER.fullmatch(user):
        raise SourceRefusedError(f"{shown(remote)} has no valid user name: {_USE}.")
