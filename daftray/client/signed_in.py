"""The tokens of a sign-in, where they are kept: in a profile.

The access token opens the server for a quarter of an hour. The refresh token brings the next two, once: one
that comes a second time ends the sign-in (RFC 9700, section 4.14.2). So whoever uses it holds the profile
file's lock, from before it reads the token until the new one is written.
"""

from __future__ import annotations

import base64
import binascii
import time
from pathlib import Path

import msgspec

from daftray.client.errors import NotConfiguredError
from daftray.client.file_lock import FileLock
from daftray.client.profile_file import Profile, lock_path, put_profile, read_profiles
from daftray.domain.session import Tokens

EARLY_S = 60.0
"""A token with less left than this is changed before it is used."""


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """A profile that holds tokens, by its name."""

    path: Path
    profile: str

    def read(self) -> Tokens:
        """Return the tokens as they are kept now: another program may have changed them.

        Raises:
            NotConfiguredError: there are none, or not any more.
        """
        found = self.kept()
        if not found.refresh_token:
            raise NotConfiguredError(f"Profile {self.profile} is not signed in: `daftray login`.")
        return Tokens(
            workspace_id=found.workspace or "",
            access_token=found.access_token or "",
            refresh_token=found.refresh_token,
        )

    def kept(self) -> Profile:
        """Return the whole profile; one that is not there is empty."""
        return read_profiles(self.path).profiles.get(self.profile) or Profile()

    def write(self, tokens: Tokens | None) -> None:
        """Keep other tokens, or none any more. The caller holds the lock."""
        put_profile(
            self.path,
            self.profile,
            msgspec.structs.replace(
                self.kept(),
                access_token=tokens.access_token if tokens else None,
                refresh_token=tokens.refresh_token if tokens else None,
            ),
        )

    def lock(self) -> FileLock:
        """Return the lock of the file, not taken yet."""
        return FileLock(lock_path(self.path))


class _Claims(msgspec.Struct, frozen=True):
    exp: float


def ends_soon(access_token: str, *, within_s: float = EARLY_S) -> bool:
    """Tell whether an access token is over, or about to be, by this machine's clock.

    It is read and not checked, which is the server's part; one that cannot be read is left to the server.
    """
    if not access_token:
        return True
    try:
        body = access_token.split(".")[1]
        claims = msgspec.json.decode(
            base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=_Claims, strict=True
        )
    except (IndexError, binascii.Error, ValueError):
        return False
    return claims.exp - time.time() < within_s
