"""What every `InstallationTokens` does."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fake_github import FakeInstallationTokens
from fakes import FakeClock
from github_server import APP_ID, github_server, private_key

from daftray.adapters.github.rest import AppRest
from daftray.adapters.github.tokens import GithubTokens
from daftray.domain.errors import SourceUnavailableError
from daftray.domain.ports import InstallationTokens

REPOSITORIES = {"acme/scoring": 7, "acme/site": 7, "other/scoring": 8}


@dataclass
class World:
    tokens: InstallationTokens
    host: str
    take_down: Callable[[], None]

    def url(self, path: str) -> str:
        return f"http://{self.host}/{path}"


@pytest.fixture(params=["fake", "http"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[World]:
    if request.param == "fake":
        fake = FakeInstallationTokens("git.example:8443", dict(REPOSITORIES))
        yield World(fake, fake.host, lambda: setattr(fake, "down", True))
        return
    with github_server(tmp_path, FakeClock()) as server:
        server.repositories = dict(REPOSITORIES)
        rest = AppRest(server.api_url, app_id=APP_ID, private_key=private_key(), clock=server.clock)
        down = (503, dict[str, str](), b"")
        host = f"127.0.0.1:{server.git.port}"
        yield World(GithubTokens(rest, clock=server.clock), host, lambda: setattr(server, "failure", down))


@pytest.mark.parametrize("path", ["acme/scoring", "acme/scoring.git", "Acme/Scoring/"])
async def test_an_installation_opens_its_repository(world: World, path: str) -> None:
    assert await world.tokens.token(world.url(path), {7})


async def test_a_repository_has_a_token_of_its_own_that_is_kept(world: World) -> None:
    scoring = await world.tokens.token(world.url("acme/scoring"), {7, 8})
    site = await world.tokens.token(world.url("acme/site"), {7, 8})
    assert scoring != site
    world.take_down()
    assert await world.tokens.token(world.url("acme/scoring.git"), {7}) == scoring


async def test_an_installation_that_was_not_named_opens_nothing(world: World) -> None:
    assert await world.tokens.token(world.url("acme/scoring"), set()) is None
    assert await world.tokens.token(world.url("acme/scoring"), {8, 9}) is None
    assert await world.tokens.token(world.url("other/scoring"), {8})
    assert await world.tokens.token(world.url("other/scoring"), {7}) is None
    assert await world.tokens.token(world.url("acme/public"), {7}) is None


@pytest.mark.parametrize(
    "remote",
    [
        *("http://evil.example/acme/scoring", "http://evil.example@HOST.evil.example/acme/scoring"),
        *("git@HOST:acme/scoring", "ssh://git@HOST/acme/scoring", "/acme/scoring", "HOST/acme/scoring"),
        *("http://HOST/scoring", "http://HOST/acme/scoring/more", "http://HOST/../acme", ""),
    ],
)
async def test_a_remote_elsewhere_is_not_opened(world: World, remote: str) -> None:
    assert await world.tokens.token(remote.replace("HOST", world.host), {7}) is None


async def test_what_is_forgotten_is_asked_for_again(world: World) -> None:
    remote = world.url("acme/scoring")
    before = await world.tokens.token(remote, {7})
    world.tokens.forget(8)
    assert await world.tokens.token(remote, {7}) == before
    world.tokens.forget(7)
    assert await world.tokens.token(remote, {7}) not in {None, before}


async def test_while_github_is_down_there_are_no_new_tokens(world: World) -> None:
    world.take_down()
    with pytest.raises(SourceUnavailableError):
        await world.tokens.token(world.url("acme/scoring"), {7})
