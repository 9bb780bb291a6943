"""Tokens of a GitHub App over real HTTP: how long they are kept, and what GitHub can answer instead."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from fakes import FakeClock
from github_server import APP_ID, GithubServer, as_json, github_server, private_key

from daftray.adapters.github.rest import LARGEST_ANSWER, AppRest
from daftray.adapters.github.tokens import ABSENT_FOR, GithubTokens, _git_host
from daftray.domain.errors import InvalidInputError, SourceDeniedError, SourceUnavailableError

LOOK, ASK = "GET /repos/acme/scoring/installation", "POST /app/installations/7/access_tokens"


@pytest.fixture
def server(tmp_path: Path) -> Generator[GithubServer]:
    with github_server(tmp_path, FakeClock()) as made:
        made.repositories = {"acme/scoring": 7}
        yield made


def tokens_of(server: GithubServer, *, key: str = "app", bound: int = 1000) -> GithubTokens:
    rest = AppRest(server.api_url, app_id=APP_ID, private_key=private_key(key), clock=server.clock)
    return GithubTokens(rest, clock=server.clock, bound=bound)


async def test_a_token_reads_one_repository_and_nothing_else(server: GithubServer) -> None:
    assert await tokens_of(server).token(server.git.url("acme/scoring.git"), {7}) == server.issued[0]
    body = {"repositories": ["scoring"], "permissions": {"contents": "read"}}
    assert server.asked == [(LOOK, None), (ASK, body)]


async def test_a_token_is_kept_until_five_minutes_before_its_end(server: GithubServer) -> None:
    tokens, remote = tokens_of(server), server.git.url("acme/scoring")
    first = await tokens.token(remote, {7})
    server.clock.move(54 * 60)
    assert await tokens.token(remote, {7}) == first
    server.clock.move(2 * 60)
    assert await tokens.token(remote, {7}) == server.issued[1] != first


async def test_it_is_kept_for_a_minute_that_the_app_has_no_repository(server: GithubServer) -> None:
    tokens, remote = tokens_of(server), server.git.url("acme/public")
    for _ in range(3):
        assert await tokens.token(remote, {7}) is None
    assert len(server.asked) == 1
    server.repositories["acme/public"] = 7
    server.clock.move(ABSENT_FOR.total_seconds())
    assert await tokens.token(remote, {7}) == server.issued[0]


async def test_what_is_kept_is_bounded_and_the_least_used_goes(server: GithubServer) -> None:
    server.repositories |= {"acme/b": 7, "acme/c": 7}
    tokens = tokens_of(server, bound=2)
    for name in ("scoring", "b", "scoring", "c", "scoring"):
        assert await tokens.token(server.git.url(f"acme/{name}"), {7})
    assert len(server.issued) == len(tokens._known) + 1 == 3


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (as_json(500, {}), SourceUnavailableError),
        (as_json(429, {}), SourceUnavailableError),
        ((403, {"X-RateLimit-Remaining": "0"}, b"{}"), SourceUnavailableError),
        ((429, {"Retry-After": "60"}, b"{}"), SourceUnavailableError),
        (as_json(403, {"message": "suspended"}), SourceDeniedError),
        (as_json(200, {"id": "x"}), SourceUnavailableError),
        ((200, {}, b"[" * 100_000), SourceUnavailableError),
        ((200, {}, b" " * (LARGEST_ANSWER + 1)), SourceUnavailableError),
    ],
)
async def test_trouble_of_githubs_has_a_code(
    server: GithubServer, failure: tuple[int, dict[str, str], bytes], error: type[Exception]
) -> None:
    server.failure = failure
    with pytest.raises(error) as caught:
        await tokens_of(server).token(server.git.url("acme/scoring"), {7})
    assert type(caught.value) is error


async def test_a_github_that_is_not_there_is_unavailable(server: GithubServer) -> None:
    rest = AppRest("http://127.0.0.1:1", app_id=APP_ID, private_key=private_key(), clock=server.clock)
    with pytest.raises(SourceUnavailableError, match="cannot be reached"):
        await GithubTokens(rest, clock=server.clock).token("http://127.0.0.1:1/acme/scoring", {7})


async def test_an_app_that_github_does_not_know_is_the_operators_to_mend(server: GithubServer) -> None:
    with pytest.raises(SourceDeniedError, match="DAFTRAY_GITHUB_APP_ID"):
        await tokens_of(server, key="another").token(server.git.url("acme/scoring"), {7})


async def test_an_app_that_may_not_read_code_is_told_so(server: GithubServer) -> None:
    server.readable = False
    with pytest.raises(SourceDeniedError, match="Contents: read"):
        await tokens_of(server).token(server.git.url("acme/scoring"), {7})


async def test_an_installation_that_went_meanwhile_opens_nothing(server: GithubServer) -> None:
    tokens, remote = tokens_of(server), server.git.url("acme/scoring")
    assert await tokens.token(remote, {8}) is None  # so it is known which has it
    server.repositories.clear()
    assert await tokens.token(remote, {7}) is None


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "ä"])
async def test_a_token_that_is_none_is_not_used(server: GithubServer, token: str) -> None:
    tokens, remote = tokens_of(server), server.git.url("acme/scoring")
    assert await tokens.token(remote, {8}) is None
    server.failure = as_json(201, {"token": token, "expires_at": "2030-01-01T00:00:00Z"})
    with pytest.raises(SourceUnavailableError, match="not understood"):
        await tokens.token(remote, {7})


@pytest.mark.parametrize(
    "key", ["", "hush", "-----BEGIN RSA PRIVATE KEY-----\nhush\n-----END RSA PRIVATE KEY-----"]
)
def test_a_key_that_is_none_is_refused_at_the_start_and_not_shown(key: str) -> None:
    with pytest.raises(InvalidInputError, match="no RSA key") as caught:
        AppRest("https://api.github.com", app_id=APP_ID, private_key=key, clock=FakeClock())
    assert "hush" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("api", "host"),
    [
        ("https://api.github.com", ("https", "github.com")),
        ("https://git.example/api/v3", ("https", "git.example")),
        ("https://api.acme.ghe.com", ("https", "acme.ghe.com")),
    ],
)
def test_git_is_beside_the_api(api: str, host: tuple[str, str]) -> None:
    assert _git_host(api) == host


def test_what_is_known_is_shown_without_tokens(server: GithubServer) -> None:
    assert "ghs_" not in repr(vars(tokens_of(server)))
