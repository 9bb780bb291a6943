"""Servers whose database is PostgreSQL and whose blobs are in S3: two of them, side by side."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import psutil
import pytest
from e2e_platform import wait_for
from git_repos import make_repo
from postgres_server import PostgresServer
from s3_server import BUCKET, SECRET, S3Server
from typer.testing import CliRunner

from daftray.adapters.blobs import ObjectBlobs
from daftray.cli.app import app
from daftray.client import Client
from daftray.domain.errors import DaftrayError, ResultNotFoundError, UnauthenticatedError
from daftray.domain.status import RunPhase, RunStatus
from daftray.server.child import ChildServer, child_server
from daftray.server.serve import serve
from daftray.server.settings import ServerSettings

LOGIN = "daftray_serving"
PASSWORD = "pa$$ word/of the:tests"
VALUE = "a-secret-value"
OPTIONS = ["--ray", "none", "--allow-local-remotes", "--log-level", "debug"]


@dataclass(frozen=True)
class Elsewhere:
    """Variables of servers that share a database and an object store."""

    variables: dict[str, str]
    blobs_url: str
    secrets: tuple[str, ...]


@pytest.fixture
def elsewhere(
    postgres: PostgresServer, s3: S3Server, s3_url: str, migrated_postgres: str
) -> Iterator[Elsewhere]:
    """A user, a schema and a prefix with nothing in them."""
    del migrated_postgres  # it is where the schema is
    asyncio.run(
        ask(
            postgres,
            f"CREATE ROLE {LOGIN} LOGIN PASSWORD '{PASSWORD}'",
            f"CREATE SCHEMA {LOGIN} AUTHORIZATION {LOGIN}",
        )
    )
    url = f"{postgres.url('migrated', user=LOGIN, password=PASSWORD)}&search_path={LOGIN}"
    master_key = "0123456789abcdef" * 4
    yield Elsewhere(
        variables={
            "DAFTRAY_DATABASE_URL": url,
            "DAFTRAY_BLOBS_URL": s3_url,
            "DAFTRAY_MASTER_KEY": master_key,
            **s3.variables,
        },
        blobs_url=s3_url,
        secrets=(PASSWORD, quote(PASSWORD, safe=""), SECRET, master_key, VALUE),
    )
    asyncio.run(ask(postgres, f"DROP SCHEMA {LOGIN} CASCADE", f"DROP ROLE {LOGIN}"))


async def ask(server: PostgresServer, *statements: str) -> None:
    async with server.asked("migrated") as connection:
        for statement in statements:
            await connection.execute(statement)


def servers(elsewhere: Elsewhere, folder: Path) -> AbstractContextManager[ChildServer]:
    return child_server(folder, options=OPTIONS, variables=elsewhere.variables)


def shown_by(server: ChildServer) -> str:
    """Return what a server's log and the list of processes show."""
    process = psutil.Process(server.pid)
    lines = [" ".join(each.cmdline()) for each in (process, *process.children(recursive=True))]
    return "\n".join([server.log.read_text(), *lines])


def test_two_servers_on_one_database_and_store_are_one_and_outlive_connections(
    elsewhere: Elsewhere, postgres: PostgresServer, tmp_path: Path
) -> None:
    repo = make_repo(tmp_path / "repo")
    repo.write({"main.py": "print('changed')\n"})
    with (
        servers(elsewhere, tmp_path / "one") as one,
        servers(elsewhere, tmp_path / "two") as two,
        Client(one.url, one.api_key) as first,
        Client(two.url, one.api_key) as second,
    ):
        first.projects.create("shared", repo.url)
        here, there = first.in_project("shared"), second.in_project("shared")
        there.secrets.set("TOKEN", VALUE)
        assert [secret.name for secret in here.secrets.list()] == ["TOKEN"]

        run = here.runs.create("main.py", patch=repo.diff(), labels={"of": "one"}, secrets={"MINE": VALUE})
        run = wait_for(there, run, lambda now: now.phase not in {RunPhase.PINNING, RunPhase.QUEUED})
        assert run.commit == repo.head
        assert there.runs.list(labels={"of": "one"}).runs == [there.runs.get(run)]
        assert asyncio.run(keys(elsewhere)), "the patch is in the store"

        there.runs.cancel(run)
        assert here.runs.wait(run, timeout_s=60).status is RunStatus.CANCELLED
        again = there.runs.rerun(run)
        assert here.runs.cancel(again).cancel_requested_at is not None
        assert there.runs.wait(again, timeout_s=60).status is RunStatus.CANCELLED
        with pytest.raises(ResultNotFoundError):
            there.runs.result(run)
        with Client(two.url, "drk.key_0.wrong") as stranger, pytest.raises(UnauthenticatedError):
            stranger.projects.list()

        for _ in range(3):
            asyncio.run(end_connections(postgres))
            assert httpx.get(f"{two.url}/readyz", timeout=10).status_code == 200
            assert there.runs.get(run).status is RunStatus.CANCELLED
        shown = shown_by(one) + shown_by(two)
    assert [secret for secret in elsewhere.secrets if secret in shown] == []


async def end_connections(postgres: PostgresServer) -> None:
    async with postgres.asked() as connection:
        ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1"
        assert len(await connection.fetch(ended, LOGIN)) >= 2


async def keys(elsewhere: Elsewhere) -> list[str]:
    return [blob.key async for blob in ObjectBlobs(elsewhere.blobs_url).list("projects/")]


def test_a_server_that_is_refused_says_so_in_a_line(elsewhere: Elsewhere, tmp_path: Path) -> None:
    url = elsewhere.variables["DAFTRAY_DATABASE_URL"].replace(f"{LOGIN}:", f"{LOGIN}:not")
    ended = subprocess.run(
        [sys.executable, "-m", "daftray", "serve", "--port", "0", "--data-dir", tmp_path, *OPTIONS],
        env={**os.environ, **elsewhere.variables, "DAFTRAY_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert ended.returncode == 1
    assert (
        "error[database-refused]: PostgreSQL refuses daftray: password authentication failed" in ended.stderr
    )
    assert "Traceback" not in ended.stderr
    assert [secret for secret in elsewhere.secrets if secret in ended.stderr + ended.stdout] == []


@pytest.mark.parametrize(
    ("variable", "change", "code", "tells"),
    [
        ("DAFTRAY_DATABASE_URL", ("host=", "host=/nowhere"), "store-unavailable", "is it running"),
        ("DAFTRAY_DATABASE_URL", ("postgresql", "oracle"), "invalid-input", "postgresql://"),
        ("DAFTRAY_BLOBS_URL", (BUCKET, "no-such-bucket"), "store-unavailable", "NoSuchBucket"),
        ("DAFTRAY_BLOBS_URL", ("s3", "ftp"), "invalid-input", "s3://"),
        ("AWS_ENDPOINT_URL", ("http://127.0.0.1:", "http://127.0.0.1:1#"), "store-unavailable", "blob store"),
    ],
    ids=["host", "kind", "bucket", "store", "endpoint"],
)
async def test_a_server_that_cannot_reach_its_stores_says_which(
    elsewhere: Elsewhere,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    change: tuple[str, str],
    code: str,
    tells: str,
) -> None:
    for name, value in elsewhere.variables.items():
        monkeypatch.setenv(name, value.replace(*change) if name == variable else value)
    settings = ServerSettings(port=0, ray="none", data_dir=tmp_path)
    assert not any(secret in repr(settings) for secret in elsewhere.secrets)
    with pytest.raises(DaftrayError, match=tells) as caught:
        await serve(settings, on_started=lambda _: pytest.fail("it started"))
    assert caught.value.code == code
    shown = "".join(traceback.format_exception(caught.value))
    assert [secret for secret in elsewhere.secrets if secret in shown] == []


def test_a_password_is_no_option(elsewhere: Elsewhere) -> None:
    url = elsewhere.variables["DAFTRAY_DATABASE_URL"]
    ended = CliRunner().invoke(app, ["serve", "--database-url", url])
    assert ended.exit_code == 2
    assert "DAFTRAY_DATABASE_URL" in ended.output
    assert PASSWORD not in ended.output
