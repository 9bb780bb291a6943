"""The tokens of a sign-in: used while they are good, changed in time, and never used twice."""

from __future__ import annotations

import base64
import json
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from daftray import Client
from daftray.client import AnswerNotUnderstoodError, NotConfiguredError, Retry, ServerUnreachableError
from daftray.client.file_lock import FileLock, holding
from daftray.client.profile_file import Profile, lock_path, profile_path, read_profiles, write_profile
from daftray.client.signed_in import SignIn, ends_soon
from daftray.domain.errors import UnauthenticatedError

URL = "https://x.example"


def a_token(left_s: float = 900, name: str = "") -> str:
    claims = json.dumps({"exp": int(time.time() + left_s), "sub": name}).encode()
    return f"eyJ.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.{name}"


class Server:
    """Knows one access token and one refresh token, which is good once; says who calls."""

    def __init__(self) -> None:
        self.access, self.refresh = a_token(name="first"), "refresh-0"
        self.refreshes: list[str] = []
        self.calls: list[str] = []
        self.troubles: list[httpx.Response | Exception] = []
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            if request.url.path != "/v1/auth/refresh":
                return self._who(request.headers["authorization"].removeprefix("Bearer "))
            spent = json.loads(request.content)["refresh_token"]
            self.refreshes.append(spent)
            assert "authorization" not in request.headers
            assert request.extensions["timeout"]["read"] == 30
            if self.troubles:
                trouble = self.troubles.pop(0)
                if isinstance(trouble, Exception):
                    raise trouble
                return trouble
            if spent != self.refresh:
                self.refresh = "ended"
                return httpx.Response(401, json={"type": "unauthenticated", "detail": "sign in again"})
            number = len(self.refreshes)
            self.access, self.refresh = a_token(name=str(number)), f"refresh-{number}"
            tokens = {"workspace_id": "w", "access_token": self.access, "refresh_token": self.refresh}
            return httpx.Response(200, json=tokens)

    def _who(self, token: str) -> httpx.Response:
        self.calls.append(token)
        if token != self.access:
            return httpx.Response(401, json={"type": "unauthenticated", "detail": "no"})
        me = {"id": "u", "name": "ada", "kind": "person", "operator": False, "grants": []}
        return httpx.Response(200, json=me)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SignIn:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    write_profile(profile_path(), "default", Profile(url="https://other.example", api_key="other"))
    return SignIn(path=profile_path(), profile="work")


def sign_in(kept: SignIn, access: str, refresh: str = "refresh-0", url: str = URL) -> None:
    content = read_profiles(kept.path)
    tokens = Profile(url=url, workspace="w", project="p", access_token=access, refresh_token=refresh)
    write_profile(kept.path, kept.profile, tokens)
    write_profile(kept.path, "default", content.profiles["default"])


def client_on(server: Server) -> Client:
    transport = httpx.MockTransport(server)
    return Client(profile="work", retry=Retry(base_s=0), transport=transport)


def test_a_good_token_is_used_as_it_is(kept: SignIn, server: Server) -> None:
    sign_in(kept, server.access)
    client = client_on(server)
    assert client.whoami().name == "ada"
    assert (client.workspace, client.project, server.refreshes) == ("w", "p", [])


@pytest.mark.parametrize("left_s", [-5, 30])
def test_a_token_that_ends_soon_is_changed_before_it_is_used(
    kept: SignIn, server: Server, left_s: float
) -> None:
    sign_in(kept, a_token(left_s))
    assert client_on(server).whoami().name == "ada"
    assert (server.refreshes, server.calls) == (["refresh-0"], [server.access])
    content = read_profiles(kept.path)
    assert content.profile == "default"
    assert content.profiles["work"] == Profile(
        url=URL, workspace="w", project="p", access_token=server.access, refresh_token="refresh-1"
    )
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    client_on(server).whoami()
    assert server.refreshes == ["refresh-0"]


@pytest.mark.parametrize(
    "text",
    [
        "eyJ.x.y",
        "no token",
        "eyJ.bm90IGpzb24.x",
        "eyJ.e30.x",
        pytest.param(a_token(24 * 3600, "old"), id="another"),
    ],
)
def test_a_token_that_the_server_refuses_is_changed_once(kept: SignIn, server: Server, text: str) -> None:
    sign_in(kept, text)
    assert client_on(server).whoami().name == "ada"
    assert (server.calls, server.refreshes) == ([text, server.access], ["refresh-0"])


def test_new_tokens_that_are_refused_are_not_changed_again(kept: SignIn, server: Server) -> None:
    sign_in(kept, a_token(name="old"))
    answer = {"workspace_id": "w", "access_token": "unknown", "refresh_token": "r"}
    server.troubles = [httpx.Response(200, json=answer)]
    with pytest.raises(UnauthenticatedError, match="no"):
        client_on(server).whoami()
    assert len(server.refreshes) == 1


def test_what_another_program_brought_is_used(kept: SignIn, server: Server) -> None:
    sign_in(kept, a_token(name="old"))

    def meanwhile(request: httpx.Request) -> httpx.Response:
        answer = server(request)
        if len(server.calls) == 1:
            sign_in(kept, server.access)
        return answer

    client = Client(profile="work", transport=httpx.MockTransport(meanwhile))
    assert client.whoami().name == "ada"
    assert server.refreshes == []


def test_many_at_once_use_a_refresh_token_once(kept: SignIn, server: Server) -> None:
    sign_in(kept, a_token(-5))
    start = threading.Barrier(8)

    def ask(_: int) -> str:
        start.wait(10)
        return client_on(server).whoami().name

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(8))) == ["ada"] * 8
    assert server.refreshes == ["refresh-0"]


def test_a_sign_in_that_has_ended_is_forgotten(kept: SignIn, server: Server) -> None:
    sign_in(kept, a_token(-5), "spent")
    with pytest.raises(UnauthenticatedError, match="sign in again"):
        client_on(server).whoami()
    assert read_profiles(kept.path).profiles["work"] == Profile(url=URL, workspace="w", project="p")
    with pytest.raises(NotConfiguredError, match="daftray login"):
        client_on(server)


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (httpx.ReadTimeout("lost"), ServerUnreachableError),
        (httpx.Response(503), ServerUnreachableError),
        (httpx.Response(200, content=b"?"), AnswerNotUnderstoodError),
    ],
)
def test_tokens_outlive_a_server_that_is_away(
    kept: SignIn, server: Server, trouble: httpx.Response | Exception, kind: type[Exception]
) -> None:
    sign_in(kept, a_token(-5))
    server.troubles = [trouble] * 3
    with pytest.raises(kind):
        client_on(server).whoami()
    assert kept.read().refresh_token == "refresh-0"
    lock = FileLock(lock_path(kept.path))
    assert lock.take(), "the lock is left"
    lock.release()


def test_a_key_goes_before_a_sign_in(kept: SignIn, server: Server) -> None:
    sign_in(kept, server.access)
    Client(URL, server.access, transport=httpx.MockTransport(server)).whoami()
    with_both = Profile(url=URL, api_key="key", access_token=server.access, refresh_token="r")
    write_profile(kept.path, "work", with_both)
    with pytest.raises(UnauthenticatedError):
        client_on(server).whoami()
    assert server.calls[-1] == "key"


def test_tokens_are_never_sent_elsewhere(kept: SignIn, server: Server) -> None:
    sign_in(kept, server.access)
    with pytest.raises(NotConfiguredError, match="no API key"):
        Client("https://evil.example", profile="work", transport=httpx.MockTransport(server))


def test_a_lock_is_had_by_one_and_left_by_who_is_done(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "a" / "lock"), FileLock(tmp_path / "a" / "lock")
    assert first.take()
    assert not second.take()
    first.release()
    with holding(tmp_path / "a" / "lock"):
        assert not second.take()
    assert second.take()
    with pytest.raises(NotConfiguredError, match="cannot be made"):
        FileLock(tmp_path / "a" / "lock" / "below").take()


def test_waiting_for_a_lock_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daftray.client.file_lock.LONGEST_WAIT_S", -1)
    with (
        holding(tmp_path / "lock"),
        pytest.raises(NotConfiguredError, match="Another program"),
        holding(tmp_path / "lock"),
    ):
        pass


def test_no_token_at_all_is_one_to_be_changed() -> None:
    assert ends_soon("")
    assert not ends_soon(a_token(90))
    assert ends_soon(a_token(90), within_s=120)
