"""``daftray login``, ``logout`` and ``whoami``: who you are to a server, without an API key."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer
from msgspec.structs import replace

from daftray.cli import screen, tables
from daftray.cli.options import AsJson
from daftray.cli.session import Session, connect
from daftray.client.errors import NotConfiguredError, ServerUnreachableError
from daftray.client.file_lock import holding
from daftray.client.profile import check_url, read_data_dir, same_server
from daftray.client.profile_file import (
    Profile,
    lock_path,
    profile_name,
    profile_path,
    write_profile,
)
from daftray.client.signed_in import SignIn

if TYPE_CHECKING:
    from daftray.client.sign_in_answers import DeviceCodes

LOGIN_EPILOG = """\b
Examples:
  daftray login https://daftray.example.com
  daftray --profile work login https://work.example.com
  daftray login --no-browser                 on a machine that you reach by ssh

A person opens the page, on this machine or any other, signs in there and compares the code.
The tokens are kept in the profile, which only you can read, and are renewed by themselves.
DAFTRAY_API_KEY, and a key in the profile, go before a sign-in.
"""


def login(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Argument(metavar="[URL]", help="The server; the profile's unless named.", show_default=False),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only say which page to open, on any machine.")
    ] = False,
) -> None:
    """Sign in to a server in a browser, and keep that in the profile."""
    from daftray.client import Client, DeviceSignIn

    sign_in = _sign_in(context)
    before = sign_in.kept()
    base_url = _server(context, url, sign_in.profile, before)
    with DeviceSignIn(base_url) as device:
        codes = device.begin()
        _show(codes, browse=not no_browser)
        tokens = device.finish(codes)
        kept = replace(
            before,
            url=base_url,
            workspace=tokens.workspace_id,
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
        )
        write_profile(sign_in.path, sign_in.profile, kept)
        if before.refresh_token:
            with suppress(ServerUnreachableError):  # it ends by itself when it is not used
                device.revoke(before.refresh_token)
    with Client(base_url, profile=sign_in.profile) as client:
        me = client.whoami()
    screen.say(
        f"Signed in to {base_url} as {me.name}, in workspace {tokens.workspace_id}."
        f" Profile {sign_in.profile} is in use."
    )
    if os.environ.get("DAFTRAY_API_KEY"):
        screen.say("note: DAFTRAY_API_KEY is set, and goes before this sign-in.")


def logout(context: typer.Context) -> None:
    """End the profile's sign-in, at the server and here. An API key stays."""
    from daftray.client import DeviceSignIn

    sign_in = _sign_in(context)
    with holding(lock_path(sign_in.path)):
        tokens, url = sign_in.read(), sign_in.kept().url
        if url:
            with DeviceSignIn(url) as device:
                device.revoke(tokens.refresh_token)
        sign_in.write(None)
    screen.say(f"Profile {sign_in.profile} is signed out.")


def whoami(context: typer.Context, as_json: AsJson = False) -> None:
    """Say who you are to the server, and what you may do where."""
    client = connect(context)
    me = client.whoami()
    if as_json:
        screen.emit_json(me)
        return
    tables.emit_facts(
        [
            ("name", me.name),
            ("id", me.id),
            ("kind", me.kind),
            ("server", client.base_url),
            ("operator", "yes" if me.operator else None),
        ]
    )
    if me.grants:
        screen.emit("")
        tables.emit_table(
            ["WORKSPACE", "PROJECT", "ROLE"],
            [[grant.workspace, grant.project or "all", grant.role] for grant in me.grants],
        )


def _sign_in(context: typer.Context) -> SignIn:
    session, path = context.find_object(Session) or Session(), profile_path()
    return SignIn(path=path, profile=profile_name(path, session.profile))


def _server(context: typer.Context, url: str | None, name: str, before: Profile) -> str:
    """Return the server to sign in to, which the profile may be of. Raises `NotConfiguredError`."""
    session = context.find_object(Session) or Session()
    elsewhere = None if session.profile else os.environ.get("DAFTRAY_URL")
    found = url or session.url or elsewhere or before.url or read_data_dir().url
    if not found:
        raise NotConfiguredError("Which server? Name it: `daftray login https://HOST`.")
    base_url = check_url(found)
    if before.url and not same_server(before.url, base_url):
        raise NotConfiguredError(
            f"Profile {name} is of {before.url}. Name another: `daftray --profile NAME login {base_url}`."
        )
    if before.api_key:
        raise NotConfiguredError(
            f"Profile {name} has an API key, which goes before a sign-in."
            f" Name another: `daftray --profile NAME login {base_url}`."
        )
    return base_url


def _show(codes: DeviceCodes, *, browse: bool) -> None:
    minutes = max(1, round(codes.expires_in / 60))
    screen.say(
        f"Open this page, and enter the code or see that it is the same:\n\n  {codes.verification_uri}\n"
        f"  {codes.user_code}\n\nThe code is good for {minutes} minutes. Waiting …"
    )
    page = codes.verification_uri_complete or codes.verification_uri
    if browse and urlsplit(page).scheme in {"http", "https"}:
        _open(page)


def _open(page: str) -> None:
    """Open a page in a browser that has a window; one that would take the terminal is left alone."""
    import webbrowser

    with suppress(webbrowser.Error):
        browser = webbrowser.get()
        if type(browser) is not webbrowser.GenericBrowser:
            browser.open(page)
