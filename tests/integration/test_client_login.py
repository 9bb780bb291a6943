"""The SDK and the command line, signed in by the device flow, against the real interface."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from api_over_http import api_over_http
from api_server import ApiServer

from daftray import AsyncClient
from daftray.client import AsyncDeviceSignIn, NotConfiguredError, SignInRefusedError
from daftray.client.profile_file import Profile, profile_path, write_profile
from daftray.client.signed_in import SignIn
from daftray.domain.errors import ForbiddenError, UnauthenticatedError
from daftray.domain.session import Tokens


@pytest.fixture
async def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[ApiServer]:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    async with api_over_http(tmp_path) as server:
        yield server


def url_of(api: ApiServer) -> str:
    return str(api.http.base_url).rstrip("/")


async def sign_in(api: ApiServer, monkeypatch: pytest.MonkeyPatch, *, approve: bool = True) -> Tokens:
    """Sign in while somebody decides, with the runner's key, in the time between two polls."""
    waits: list[float] = []

    async with AsyncDeviceSignIn(url_of(api)) as device:
        codes = await device.begin()

        async def decide(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 2:
                body = {"user_code": codes.user_code, "approve": approve}
                said = await api.ask("POST", "/v1/auth/device/approve", key="runner", json=body)
                assert said.status_code == 200, said.text

        monkeypatch.setattr("daftray.client._async.device.pause", decide)
        tokens = await device.finish(codes)
        assert waits == [5, 5]
        return tokens


def keep(api: ApiServer, tokens: Tokens, *, access: str | None = None) -> SignIn:
    kept = Profile(
        url=url_of(api),
        workspace=tokens.workspace_id,
        project="demo",
        access_token=access or tokens.access_token,
        refresh_token=tokens.refresh_token,
    )
    write_profile(profile_path(), "default", kept)
    return SignIn(path=profile_path(), profile="default")


async def test_a_program_that_was_let_in_works_and_stays_in(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = await sign_in(api, monkeypatch)
    kept = keep(api, tokens, access="eyJ.no.more")
    async with AsyncClient() as client:
        assert (await client.whoami()).name == "runner"
        run = await client.runs.create("main.py")
        assert [one.id async for one in client.runs.iterate()] == [run.id]
        with pytest.raises(ForbiddenError):
            await client.projects.update("demo", name="other")
    renewed = kept.read()
    assert renewed.refresh_token != tokens.refresh_token
    async with AsyncDeviceSignIn(url_of(api)) as device:
        await device.revoke(renewed.refresh_token)
    async with AsyncClient() as client:
        with pytest.raises(UnauthenticatedError):
            await client.whoami()
        with pytest.raises(NotConfiguredError):
            await client.whoami()


async def test_a_program_that_was_refused_is_told(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SignInRefusedError, match="denied"):
        await sign_in(api, monkeypatch, approve=False)


async def test_programs_that_renew_at_once_do_not_end_their_sign_in(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a process; a refresh token that two of them used would end it for all."""
    tokens = await sign_in(api, monkeypatch)
    kept = keep(api, tokens, access="eyJ.no.more")
    command = [sys.executable, "-m", "daftray", "whoami", "--json"]
    programs = [
        await asyncio.create_subprocess_exec(
            *command, env=dict(os.environ), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(4)
    ]
    told = [await asyncio.wait_for(program.communicate(), 60) for program in programs]
    assert [program.returncode for program in programs] == [0] * 4, told
    async with AsyncClient() as client:
        assert (await client.whoami()).name == "runner"
    assert kept.read().refresh_token != tokens.refresh_token
