"""How often somebody may try."""

from __future__ import annotations

import msgspec


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """So many tries in so many seconds. ``name`` tells rates apart, and what is tried in messages."""

    name: str
    tries: int
    seconds: int


LOGIN_BY_ADDRESS = Rate(name="sign in", tries=20, seconds=60)
FAILED_LOGIN = Rate(name="sign in to this account", tries=10, seconds=300)
"""Failures alone count, so that whoever knows the password is not shut out by their own use."""
REFRESH_BY_ADDRESS = Rate(name="refresh tokens", tries=240, seconds=60)
DEVICE_START = Rate(name="start a sign-in", tries=30, seconds=60)
DEVICE_POLL = Rate(name="ask for tokens", tries=600, seconds=60)
FAILED_CODE = Rate(name="enter a code", tries=10, seconds=600)
"""Ten guesses of 20^8 codes: nobody finds one that waits (RFC 8628, section 5.1)."""
OPENID_ANSWER = Rate(name="use this sign-in", tries=1, seconds=660)
"""A sign-in's answer is good once, for longer than the sign-in may take."""
