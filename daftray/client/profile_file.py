"""The profile file: servers that a person works with, by name.

profile = "work"                  # the one in use

[profiles.work]
url = "https://daftray.example.com"
api_key = "…"
project = "scoring"

In place of the key there can be the tokens of a sign-in (`daftray login`). Who reads the file to write it
holds its lock: tokens that were spent must not come back.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from daftray.client.errors import NotConfiguredError
from daftray.client.file_lock import holding

DEFAULT_PROFILE = "default"
_PRIVATE_FILE = 0o600


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of one server. Anything may be missing."""

    url: str | None = None
    api_key: str | None = None
    workspace: str | None = None
    project: str | None = None
    access_token: str | None = None
    refresh_token: str | None = None

    def __repr__(self) -> str:
        """Leave the key and the tokens out: a repr ends up in logs."""
        return f"Profile(url={self.url!r}, workspace={self.workspace!r}, project={self.project!r})"


class ProfileFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All profiles, and which of them is in use."""

    profile: str = DEFAULT_PROFILE
    profiles: dict[str, Profile] = msgspec.field(default_factory=dict[str, Profile])


def profile_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the profile file is: ``$XDG_CONFIG_HOME/daftray/config.toml``, or under ``~/.config``."""
    home = environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path("~/.config").expanduser()) / "daftray" / "config.toml"


def read_profiles(path: Path) -> ProfileFile:
    """Return the profile file's content; a file that is not there has none.

    Raises:
        NotConfiguredError: the file cannot be read.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), ProfileFile)
    except FileNotFoundError:
        return ProfileFile()
    except (OSError, ValueError) as exc:
        # The parser's own words can quote a line of the file, and with it a key.
        raise NotConfiguredError(f"The profile file {path} cannot be read: mend or remove it.") from (
            exc if isinstance(exc, OSError) else None
        )


def profile_name(path: Path, named: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """Return the name of the profile that is meant: the named one, ``DAFTRAY_PROFILE``, the one in use."""
    return named or environ.get("DAFTRAY_PROFILE") or read_profiles(path).profile


def lock_path(path: Path) -> Path:
    """Return the file whose lock guards the profile file."""
    return path.with_suffix(".lock")


def read_profile(path: Path, name: str | None) -> Profile:
    """Return the named profile, or the one in use.

    Raises:
        NotConfiguredError: there is no profile of that name.
    """
    content = read_profiles(path)
    found = content.profiles.get(name or content.profile)
    if found is None and name:
        known = ", ".join(sorted(content.profiles)) or "none"
        raise NotConfiguredError(f"There is no profile {name!r} in {path} (known: {known}).")
    return found or Profile()


def write_profile(path: Path, name: str, profile: Profile) -> None:
    """Keep a profile and take it into use. The file is for its owner's eyes only."""
    with holding(lock_path(path)):
        before = read_profiles(path)
        _write(path, ProfileFile(profile=name, profiles={**before.profiles, name: profile}))


def use_profile(path: Path, name: str) -> None:
    """Take a profile into use. Raises `NotConfiguredError` where there is none of that name."""
    with holding(lock_path(path)):
        read_profile(path, name)
        _write(path, msgspec.structs.replace(read_profiles(path), profile=name))


def put_profile(path: Path, name: str, profile: Profile) -> None:
    """Keep a profile, and whichever is in use. The caller holds the file's lock."""
    before = read_profiles(path)
    _write(path, msgspec.structs.replace(before, profiles={**before.profiles, name: profile}))


def _write(path: Path, content: ProfileFile) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.write(_toml(content))
    draft.replace(path)


def _toml(content: ProfileFile) -> str:
    """Write the file: JSON's texts are TOML's basic strings."""
    lines = [f"profile = {_quoted(content.profile)}"]
    for name, profile in sorted(content.profiles.items()):
        lines += ["", f"[profiles.{_quoted(name)}]"]
        fields: dict[str, str] = msgspec.to_builtins(profile)
        lines += [f"{key} = {_quoted(value)}" for key, value in fields.items()]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
