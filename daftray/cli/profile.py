"""``daftray profile``: servers that you work with, kept in a file that only you can read."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from daftray.cli import screen, tables
from daftray.cli.options import AsJson
from daftray.cli.secrets import read_hidden
from daftray.client.errors import NotConfiguredError
from daftray.client.profile import check_url
from daftray.client.profile_file import (
    DEFAULT_PROFILE,
    Profile,
    profile_path,
    read_profiles,
    use_profile,
    write_profile,
)

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Servers that you work with, by name.")

_Name = Annotated[str, typer.Option("--name", metavar="NAME", help="The profile's name.")]


@app.command(
    "set",
    epilog="""\b
Examples:
  daftray profile set https://daftray.example.com
  daftray profile set http://127.0.0.1:8484 --name here --project demo < key-file
""",
)
def set_profile(
    url: Annotated[str, typer.Argument(metavar="URL", help="The server's address.", show_default=False)],
    name: _Name = DEFAULT_PROFILE,
    project: Annotated[
        str | None, typer.Option("--project", "-p", metavar="PROJECT", help="The project to mean.")
    ] = None,
) -> None:
    """Keep a server's address and your key to it, and use it from now on. The key comes from stdin."""
    base_url = check_url(url)
    key = read_hidden("API key").strip()
    if not key:
        raise NotConfiguredError("The key is empty, so nothing was kept.")
    path = profile_path()
    write_profile(path, name, Profile(url=base_url, api_key=key, project=project))
    screen.say(f"Profile {name} is kept in {path} and in use.")


@app.command("use")
def use(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The profile's name.", show_default=False)],
) -> None:
    """Use another profile from now on."""
    use_profile(profile_path(), name)
    screen.say(f"Profile {name} is in use.")


@app.command("list")
def list_profiles(as_json: AsJson = False) -> None:
    """List the profiles, without their keys."""
    content = read_profiles(profile_path())
    if as_json:
        keyless = {name: _without_keys(one) for name, one in content.profiles.items()}
        screen.emit_json({"profile": content.profile, "profiles": keyless})
        return
    tables.emit_table(
        ["NAME", "URL", "PROJECT", "IN USE", "BY"],
        [
            [name, one.url, one.project, "yes" if name == content.profile else None, _opened_by(one)]
            for name, one in sorted(content.profiles.items())
        ],
    )


def _without_keys(profile: Profile) -> Profile:
    return msgspec.structs.replace(profile, api_key=None, access_token=None, refresh_token=None)


def _opened_by(profile: Profile) -> str | None:
    if profile.api_key:
        return "key"
    return "sign-in" if profile.refresh_token else None
