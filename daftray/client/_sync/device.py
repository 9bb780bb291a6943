# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""Sign-in of this program by a person in a browser, here or elsewhere (RFC 8628)."""

from __future__ import annotations

import time
from http import HTTPStatus
from types import TracebackType
from typing import Self

import httpx
import msgspec

from daftray.client._sync.connection import Connection, decode, refusal
from daftray.client._sync.pause import pause
from daftray.client.answers import Retry
from daftray.client.errors import SignInExpiredError, SignInRefusedError
from daftray.client.profile import Address, check_url
from daftray.client.sign_in_answers import DeviceCodes, DeviceRefusal
from daftray.domain.errors import DaftrayError
from daftray.domain.session import Tokens

_PATH = "/v1/auth/device"
_SLOWER_BY_S = 5.0
_LEAST_INTERVAL_S = 1.0
_LONGEST_S = 3600.0
"""A code that is good for longer is waited for no longer."""


class DeviceSignIn:
    """Signs this program in at a server, as whoever approves it there.

    Args:
        base_url: the server's address.
        timeout_s: how long one call may wait for its answer, in seconds.
        retry: how patient the client is with a server that does not answer.
        transport: in place of the network, for tests.

    Raises:
        NotConfiguredError: the address is none.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float = 30.0,
        retry: Retry | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._connection = Connection(
            Address(base_url=check_url(base_url)),
            timeout_s=timeout_s,
            retry=retry or Retry(),
            transport=transport,
        )

    def begin(self) -> DeviceCodes:
        """Return the code for a person to enter, and where. Raises `TooManyRequestsError`."""
        return decode(self._connection.call("POST", f"{_PATH}/authorize"), DeviceCodes)

    def finish(self, codes: DeviceCodes) -> Tokens:
        """Wait until a person has approved, and return the tokens; there is no second time.

        The server is asked at its interval, and more slowly where it says so or does not answer.

        Raises:
            SignInRefusedError: the person said no, or the server does not know the code any more.
            SignInExpiredError: nobody approved in time.
        """
        interval_s = max(codes.interval, _LEAST_INTERVAL_S)
        deadline = time.monotonic() + min(codes.expires_in, _LONGEST_S)
        while time.monotonic() < deadline:
            pause(interval_s)
            try:
                told = self._poll(codes.device_code)
            except DaftrayError as exc:
                if not exc.retryable:
                    raise
                interval_s += _SLOWER_BY_S
                continue
            if isinstance(told, Tokens):
                return told
            if told.error == "slow_down":
                interval_s += _SLOWER_BY_S
            elif told.error == "expired_token":
                break
            elif told.error != "authorization_pending":
                raise SignInRefusedError(told.error_description or told.error)
        raise SignInExpiredError("Nobody has approved while the code was good: start again.")

    def revoke(self, refresh_token: str) -> None:
        """End the sign-in that a refresh token is of; one that has ended already is fine."""
        body = {"refresh_token": refresh_token}
        self._connection.call("POST", "/v1/auth/revoke", body=body, repeatable=True)

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def _poll(self, device_code: str) -> Tokens | DeviceRefusal:
        response = self._connection.call(
            "POST", f"{_PATH}/token", body={"device_code": device_code}, accepted=HTTPStatus.BAD_REQUEST
        )
        if response.is_success:
            return decode(response, Tokens)
        try:
            told = msgspec.json.decode(response.content, type=DeviceRefusal)
        except msgspec.DecodeError:
            told = DeviceRefusal()
        if not told.error:
            raise refusal(response)
        return told

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
