"""The device flow as a program sees it: how often it asks, and how it ends."""

from __future__ import annotations

import json

import httpx
import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from daftray.client import DeviceSignIn, NotConfiguredError, Retry, SignInExpiredError, SignInRefusedError
from daftray.client.sign_in_answers import DeviceCodes
from daftray.domain.errors import InvalidInputError
from daftray.domain.session import Tokens

CODES = DeviceCodes(device_code="hidden", user_code="AB-CD", verification_uri="https://x/d", expires_in=900)
GOOD = {"workspace_id": "w", "access_token": "a", "refresh_token": "r"}
Answers = list[httpx.Response | Exception]


def refused(error: str, **more: str) -> httpx.Response:
    return httpx.Response(400, json={"error": error, **more})


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no time pass but that of a clock of our own; return the waits."""
    passed: list[float] = []
    monkeypatch.setattr("daftray.client._sync.device.pause", passed.append)
    monkeypatch.setattr("daftray.client._sync.device.time.monotonic", lambda: sum(passed))
    return passed


def finish(answers: Answers, codes: DeviceCodes = CODES) -> Tokens:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/auth/device/token"
        assert json.loads(request.content) == {"device_code": "hidden"}
        assert "authorization" not in request.headers
        following = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(following, Exception):
            raise following
        return following

    transport = httpx.MockTransport(answer)
    with DeviceSignIn("https://x.example", retry=Retry(attempts=1), transport=transport) as device:
        return device.finish(codes)


def test_it_asks_at_the_interval_until_somebody_approves(waits: list[float]) -> None:
    tokens = finish([refused("authorization_pending"), httpx.Response(200, json=GOOD)])
    assert tokens == Tokens(**GOOD)
    assert waits == [5, 5]


def test_it_obeys_when_it_is_to_slow_down(waits: list[float]) -> None:
    answers: Answers = [
        refused("slow_down"),
        httpx.ReadTimeout("lost"),
        httpx.Response(429, json={"type": "too-many-requests"}),
        refused("authorization_pending"),
        httpx.Response(200, json=GOOD),
    ]
    finish(answers, replace(CODES, interval=7.0))
    assert waits == [7, 12, 17, 22, 22]


def test_it_never_asks_without_a_pause(waits: list[float]) -> None:
    finish([httpx.Response(200, json=GOOD)], replace(CODES, interval=0.0))
    assert waits == [1]


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("error", ["access_denied", "invalid_grant", "anything"])
def test_a_refusal_ends_it(error: str) -> None:
    with pytest.raises(SignInRefusedError, match="The request was denied"):
        finish([refused(error, error_description="The request was denied.")])
    with pytest.raises(SignInRefusedError, match=error):
        finish([refused(error)])


def test_a_code_that_is_over_ends_it(waits: list[float]) -> None:
    with pytest.raises(SignInExpiredError):
        finish([refused("authorization_pending"), refused("expired_token")])
    assert len(waits) == 2
    waits.clear()
    with pytest.raises(SignInExpiredError):
        finish([refused("authorization_pending")])
    assert sum(waits) == 900
    waits.clear()
    with pytest.raises(SignInExpiredError):
        finish([refused("authorization_pending")], replace(CODES, expires_in=1e9))
    assert sum(waits) == 3600


@pytest.mark.usefixtures("waits")
def test_another_kind_of_refusal_is_told_as_it_is() -> None:
    with pytest.raises(InvalidInputError, match="wrong"):
        finish([httpx.Response(400, json={"type": "invalid-input", "detail": "wrong"})])
    with pytest.raises(InvalidInputError):
        finish([httpx.Response(400, content=b"<html>")])


def test_it_begins_at_an_address_and_shows_no_code_in_its_repr() -> None:
    with pytest.raises(NotConfiguredError):
        DeviceSignIn("x.example")
    assert "hidden" not in repr(CODES)
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json=to_builtins(CODES)))
    assert DeviceSignIn("https://x.example", transport=answer).begin() == CODES
