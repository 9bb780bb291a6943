"""What the client does while nobody answers."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import msgspec
import pytest
from factories import a_project, a_run
from hypothesis import given
from hypothesis import strategies as st

from daftray import Client
from daftray.client import Retry, RunWaitTimeoutError, ServerUnreachableError
from daftray.domain.errors import DaftrayError, ForbiddenError
from daftray.domain.status import RunStatus

RUN = a_run()
ENDED = a_run(status=RunStatus.FAILED)


def answer(value: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=msgspec.json.encode(value))


class Script:
    """Gives its answers one after the other; an exception is raised, the last answer stays."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.calls = 0

    def __call__(self, _: httpx.Request) -> httpx.Response:
        self.calls += 1
        following = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(following, Exception):
            raise following
        return following


def client_on(script: Script, **retry: float) -> Client:
    patience = Retry(base_s=0, attempts=3, **retry)  # pyright: ignore[reportArgumentType] (some are ints)
    return Client(
        "https://x.example", "key", project="demo", retry=patience, transport=httpx.MockTransport(script)
    )


@pytest.mark.parametrize(
    "trouble", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut")]
)
def test_a_get_is_repeated(trouble: Exception) -> None:
    script = Script(trouble, answer({}, 503), answer(RUN))

    assert client_on(script).runs.get("r") == RUN
    assert script.calls == 3


def test_a_get_is_not_repeated_for_ever() -> None:
    script = Script(httpx.ConnectError("refused"))

    with pytest.raises(ServerUnreachableError, match=r"https://x\.example.*refused") as told:
        client_on(script).runs.get("r")
    assert script.calls == 3
    assert told.value.retryable


def test_a_refusal_is_not_repeated() -> None:
    script = Script(answer({"type": "forbidden"}, 403))

    with pytest.raises(ForbiddenError):
        client_on(script).runs.get("r")
    assert script.calls == 1


def test_a_call_that_may_have_arrived_and_would_be_done_twice_is_not_repeated() -> None:
    script = Script(httpx.ReadTimeout("slow"), answer(a_project()))

    with pytest.raises(ServerUnreachableError, match="no answer in time"):
        client_on(script).projects.create("p", "https://git.example/p.git")
    assert script.calls == 1


@pytest.mark.parametrize("trouble", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow")])
def test_any_call_that_never_left_is_repeated(trouble: Exception) -> None:
    script = Script(trouble, answer(a_project()))

    client_on(script).projects.create("p", "https://git.example/p.git")
    assert script.calls == 2


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Make time stand still, but for the pauses of the client, which are kept."""
    kept: list[float] = []

    def pause(seconds: float) -> None:
        kept.append(seconds)

    monkeypatch.setattr("daftray.client._sync.runs.pause", pause)
    monkeypatch.setattr("daftray.client._sync.runs.time.monotonic", lambda: sum(kept))
    return kept


def test_wait_returns_the_run_that_has_ended(pauses: list[float]) -> None:
    script = Script(answer(RUN), answer(RUN), answer(ENDED))

    assert client_on(script).runs.wait("r") == ENDED
    assert pauses == sorted(pauses)
    assert len(pauses) == 2


def test_wait_ends_when_its_time_is_up(pauses: list[float]) -> None:
    with pytest.raises(RunWaitTimeoutError, match="goes on") as told:
        client_on(Script(answer(RUN))).runs.wait("r", timeout_s=10)
    assert isinstance(told.value, TimeoutError)
    assert 5 < sum(pauses) <= 10


@pytest.mark.usefixtures("pauses")
def test_wait_outlives_a_server_that_is_away_for_a_while() -> None:
    away: list[httpx.Response | Exception] = [httpx.ConnectError("refused")] * 9

    assert client_on(Script(*away, answer(ENDED)), patience=4).runs.wait("r") == ENDED
    with pytest.raises(ServerUnreachableError):
        client_on(Script(*away, answer(ENDED)), patience=3).runs.wait("r")


def test_wait_ends_with_an_error_that_will_not_pass(pauses: list[float]) -> None:
    with pytest.raises(DaftrayError, match="gone"):
        client_on(Script(answer({"type": "run-not-found", "detail": "gone"}, 404))).runs.wait("r")
    assert pauses == []


@given(st.integers(min_value=0, max_value=10**6))
def test_pauses_grow_to_a_bound(failures: int) -> None:
    retry = Retry(base_s=0.5, most_s=8)

    assert 0.25 <= retry.pause_s(failures) <= 8
    assert retry.pause_s(failures + 50) >= 4


def test_a_call_has_a_timeout_of_its_own() -> None:
    seen: list[float] = []

    def look(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"]["read"])
        return answer(RUN)

    look_at: Callable[[httpx.Request], httpx.Response] = look
    client = Client(
        "https://x.example", "key", project="p", timeout_s=7, transport=httpx.MockTransport(look_at)
    )
    client.runs.get("r")

    assert seen == [7]
