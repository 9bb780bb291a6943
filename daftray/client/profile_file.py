"""The profile file: servers that a person works with, by name.

profile = "work"                  # the one in use

[profiles.work]
url = "https://daftray.example.com"
api_key = "…"
project = "scoring"
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from daftray.client.errors import NotConfiguredError

DEFAULT_PROFILE = "default"
_PRIVATE_FILE = 0o600


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of one server. Anything may be missing."""

    url: str | None = None
    api_key: str | None = None
    workspace: str | None = None
    project: str | None = None

    def __repr__(self) -> str:
        """Leave the key out: a repr ends up in logs."""
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
    before = read_profiles(path)
    _write(path, ProfileFile(profile=name, profiles={**before.profiles, name: profile}))


def use_profile(path: Path, name: str) -> None:
    """Take a profile into use. Raises `NotConfiguredError` where there is none of that name."""
    read_profile(path, name)
    _write(path, msgspec.structs.replace(read_profiles(path), profile=name))


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
