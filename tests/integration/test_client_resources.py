"""The SDK and the command line against the real interface: tasks, connections, entrypoints, integrations."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_over_http import api_over_http
from api_server import ApiServer

from daftray import AsyncClient
from daftray.domain.catalog import CatalogInfo, GlueCatalog
from daftray.domain.errors import (
    CatalogNotFoundError,
    DataSourceNotFoundError,
    FileNotInSourceError,
    ForbiddenError,
    IntegrationNotFoundError,
    InvalidInputError,
    TaskNotFoundError,
)
from daftray.domain.spec import Environment
from daftray.domain.trigger import CronTrigger, EventTrigger, Trigger

INFO = {"parquet": {"paths": ["s3://bucket/orders/*.parquet"]}}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        server.repo.commit({"jobs.py": "def score(limit: int = 3) -> None:\n    '''Scores.'''\n"})
        yield server


def client_of(api: ApiServer, key: str = "admin") -> AsyncClient:
    return AsyncClient(str(api.http.base_url), api.keys[key], project="demo")


async def typed(api: ApiServer, *words: str, stdin: str = "", cwd: Path) -> tuple[int, str, str]:
    """Type a command in a process of its own; return its exit code and what it printed."""
    environ = {**os.environ, "DAFTRAY_URL": str(api.http.base_url), "DAFTRAY_API_KEY": api.keys["admin"]}
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daftray", *words),
        cwd=cwd,
        env={**environ, "DAFTRAY_PROJECT": "demo", "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(program.communicate(stdin.encode()), 60)
    return program.returncode or 0, out.decode(), err.decode()


async def test_a_task_lives_through_the_sdk(api: ApiServer) -> None:
    cron = Trigger(cron=CronTrigger(schedule="30 2 * * *", timezone="Europe/Berlin"))
    async with client_of(api) as client:
        made = await client.tasks.create(
            "nightly", "jobs.py:score", triggers=[cron], secrets={"TOKEN": "task-secret"}, retries=2
        )
        assert (made.secret_names, len(made.outlook[0].next)) == (("TOKEN",), 5)
        changed = await client.tasks.update(made, retries=None, priority=3, labels={"a": "b"})
        assert (changed.retries, changed.priority, changed.id) == (None, 3, made.id)
        run = await client.tasks.start("nightly", priority=7, environment=Environment(dependencies=["daft"]))
        assert (run.task, run.priority, run.labels) == (made.id, 7, {"a": "b"})
        assert [one.id for one in await client.tasks.runs(made)] == [run.id]
        told = await client.tasks.set_triggers(made, [cron, Trigger(event=EventTrigger())])
        assert told == await client.tasks.triggers("nightly")
        saved = await client.tasks.save(run, "again")
        assert (saved.environment.dependencies, saved.secret_names) == (["daft"], ("TOKEN",))
        replaced = await client.tasks.replace(saved, "weekly", "jobs")
        assert (replaced.id, replaced.name, replaced.secret_names) == (saved.id, "weekly", ("TOKEN",))
        assert [one.name for one in await client.tasks.list()] == ["nightly", "weekly"]
        with pytest.raises(InvalidInputError) as wrong:
            await client.tasks.set_triggers(made, [Trigger(cron=CronTrigger(schedule="61 * * * *"))])
        assert [issue.path for issue in wrong.value.issues] == ["triggers[0].cron.schedule"]
        await client.tasks.delete("nightly")
        with pytest.raises(TaskNotFoundError):
            await client.tasks.get(made.id)


async def test_data_sources_and_catalogs_live_through_the_sdk(api: ApiServer) -> None:
    async with client_of(api) as client, client_of(api, "runner") as runner:
        made = await client.data_sources.set("orders", INFO)
        changed = await client.data_sources.set("orders", {"csv": {"paths": ["s3://bucket/x.csv"]}})
        assert (changed.id, changed.info.kind) == (made.id, "csv")
        renamed = await client.data_sources.replace(made.id, "events", INFO)
        assert [(one.id, one.name) for one in await client.data_sources.list()] == [(renamed.id, "events")]
        run = await runner.data_sources.check("events", timeout_s=60)
        assert (run.trigger, run.timeout_s) == ("check", 60)
        with pytest.raises(ForbiddenError):
            await runner.data_sources.set("events", INFO)
        with pytest.raises(InvalidInputError) as wrong:
            await client.data_sources.create("x", {"gopher": {}, "s3": {"bucket": 5}})
        assert {"info.gopher", "info.s3.bucket"} <= {issue.path for issue in wrong.value.issues}
        await client.data_sources.delete("events")
        with pytest.raises(DataSourceNotFoundError):
            await client.data_sources.get("events")
        catalog = await client.catalogs.create("main", CatalogInfo(glue=GlueCatalog(name="main")))
        assert await client.catalogs.list() == [catalog]
        assert (await runner.catalogs.check("main")).trigger == "check"
        with pytest.raises(CatalogNotFoundError):
            await client.catalogs.get("none")


async def test_entrypoints_and_integrations_are_reached_by_the_sdk(api: ApiServer) -> None:
    async with client_of(api) as client:
        assert "jobs.py" in (await client.entrypoints()).files
        (score,) = (await client.entrypoints("jobs", ref=api.repo.head)).callables
        assert (score.symbol, score.summary) == ("score", "Scores.")
        with pytest.raises(FileNotInSourceError):
            await client.entrypoints("none.py")
        kept = await client.integrations.add(7)
        assert await client.integrations.add(7) == kept
        assert await client.integrations.list() == [kept]
        await client.integrations.remove(7)
        with pytest.raises(IntegrationNotFoundError):
            await client.integrations.remove(7)


async def test_the_command_line_reaches_them_too(api: ApiServer, tmp_path: Path) -> None:
    async def answer(*words: str, stdin: str = "") -> Any:  # any JSON
        code, out, err = await typed(api, *words, "--json", stdin=stdin, cwd=tmp_path)
        assert code == 0, err
        return json.loads(out)

    run = await api.create_run()
    task = await answer("tasks", "save", run["id"], "--name", "nightly")
    told = await answer("tasks", "add-trigger", "nightly", "--cron", "30 2 * * *")
    assert len(told["outlook"][0]["next"]) == 5
    words = ("tasks", "start", "--json", "--detach", "--env", "A=1", "nightly", "--limit", "5")
    code, out, err = await typed(api, *words, cwd=tmp_path)
    assert code == 0, err
    started = json.loads(out)
    assert (started["task"], started["environment"]["environment_variables"]) == (task["id"], {"A": "1"})
    assert started["entrypoint"]["file"]["argv"] == ["--limit", "5"]
    kept = await answer("data-sources", "set", "orders", "--file", "-", stdin=json.dumps(INFO))
    assert kept["info"] == INFO
    assert [one["symbol"] for one in (await answer("entrypoints", "jobs.py"))["callables"]] == ["score"]
