"""Daft Cloud's own client, unmodified, against this server: what its users do, with one line changed.

Nothing here imports it: it is a program that prints and ends with a code. It waits ten seconds after each
run, so that commands go on side by side where a user could do the same.
"""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from connected import TOTAL, Connected
from daft_cloud import DaftCloudClient, about_to_expire, approved
from e2e_platform import Platform
from git_http import git_server
from git_repos import GitRepo
from postgres_server import PostgresServer
from s3_server import S3Server

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(sys.version_info >= (3, 13), reason="the client's package refuses Python 3.13"),
]

FILES = {
    "file.py": "import sys\nprint('file got', sys.argv[1:])\n",
    "package/__init__.py": "",
    "package/module.py": "import sys\nprint('module got', sys.argv[1:])\n",
    "functions.py": """\
import os

import daft


def typed(word: str, count: int, flag: bool = False) -> dict:
    print("typed got", repr(word), repr(count), repr(flag))
    return {"words": [word] * count, "flag": flag}


def secret() -> list:
    print("secret is", os.environ["FROM_ENV_FILE"])
    return [len(os.environ["FROM_ENV_FILE"]), os.environ["QUOTED"]]


def nothing() -> None:
    print("nothing to return")


def fails() -> None:
    raise ValueError("of the user's own making")


def joined(orders: daft.DataFrame, catalog: daft.Catalog, table: str) -> dict:
    rows = orders.join(catalog.get_table(table).read(), on="id").sum("amount").to_pydict()
    return {"total": rows["amount"][0]}


def waits() -> None:
    import time

    print("waiting", flush=True)
    time.sleep(600)
""",
    "values.env": "# a remark\nFROM_ENV_FILE=a-long-enough-value\n\nQUOTED='with quotes'\n",
}


@dataclass
class Moved:
    """A user who has moved: signed in, with a repository whose project is here."""

    ev: DaftCloudClient
    repo: GitRepo
    api: httpx.Client

    def push(self, files: dict[str, str] | None = None) -> str:
        """Commit and push."""
        commit = self.repo.commit(files)
        self.repo.git("push", "--quiet", "origin", "main")
        return commit

    def decide(self, user_code: str, *, approve: bool) -> None:
        """Decide about a sign-in, as a person with an API key."""
        answer = self.api.post("/v1/auth/device/approve", json={"user_code": user_code, "approve": approve})
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def moved(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Generator[Moved]:
    root = tmp_path_factory.mktemp("moved")
    (root / "remotes").mkdir()
    bare, work = GitRepo(root / "remotes"), GitRepo(root / "work")
    bare.git("init", "--quiet", "--bare", "--initial-branch=main", "shop.git")
    work.path.mkdir()
    work.git("init", "--quiet", "--initial-branch=main")
    headers = {"Authorization": f"Bearer {platform.server.api_key}"}
    with (
        git_server(root / "remotes") as remotes,
        httpx.Client(base_url=platform.server.url, headers=headers, timeout=60) as api,
    ):
        work.git("remote", "add", "origin", remotes.url("shop.git"))
        work.git("config", "remote.origin.pushurl", str(root / "remotes" / "shop.git"))
        ev = DaftCloudClient(root / "home", work.path, platform.server.url)
        user = Moved(ev, work, api)
        user.push(FILES)
        try:
            assert "ev login" in _stderr(ev, "list", "projects", code=1)
            approved(ev.start("login"), lambda code: user.decide(code, approve=True)).ended()
            shown = ev("init", stdin="shop\ny\n")
            assert "initialized successfully" in shown
            assert ev.settings["project_id"] in shown
            user.push()
            yield user
        finally:
            ev.close()


def _stderr(ev: DaftCloudClient, *arguments: str, code: int) -> str:
    command = ev.start(*arguments)
    command.ended(code)
    return command.err.read_text()


def test_signing_in_is_the_device_flow_and_a_denial_is_told(moved: Moved, tmp_path: Path) -> None:
    tokens = moved.ev.tokens
    assert stat.S_IMODE((moved.ev.home / "credentials").stat().st_mode) == 0o600
    assert set(tokens) == {"workspace_id", "access_token", "refresh_token"}
    other = DaftCloudClient(tmp_path / "home", moved.repo.path, moved.ev.url)
    try:
        denied = approved(other.start("login"), lambda code: moved.decide(code, approve=False))
        denied.ended(1)
        assert "User denied authorization" in denied.err.read_text()
        assert not (other.home / "credentials").exists()
    finally:
        other.close()


def test_projects_are_listed_with_those_that_others_made(moved: Moved) -> None:
    shown = moved.ev("list", "projects")
    remote = moved.repo.git("remote", "get-url", "origin")
    (line,) = (line for line in shown.splitlines() if moved.ev.settings["project_id"] in line)
    assert line.split()[0] == "shop"
    assert f"GitHub: {remote} (main)" in line
    assert "e2e" in shown


def test_a_project_is_made_once(moved: Moved) -> None:
    assert "already initialized" in moved.ev("init")


def test_every_kind_of_entrypoint_runs_and_each_end_is_told(moved: Moved) -> None:
    ev = moved.ev
    file = ev.start("run", "file.py", "one", "two")
    typed = ev.start("run", "functions.py:typed", "--", "--word=a b", "--count=3", "--flag=true")
    module = ev.start("run", "package.module", "three")
    secret = ev.start("run", "functions:secret", "--env-file", "values.env")
    nothing = ev.start("run", "functions:nothing")
    fails = ev.start("run", "functions.py:fails")
    commit = moved.repo.head[:8]
    for command, prints in (
        (file, "file got ['one', 'two']"),
        (module, "module got ['three']"),
        (nothing, "nothing to return"),
    ):
        shown = command.ended()
        assert prints in shown
        assert f"{ev.url}/~/{command.run_id}" in shown
        assert commit in shown
        assert f"Run {command.run_id} has no result" in shown
        assert "Error tailing logs" not in shown
    shown = typed.ended()
    assert "typed got 'a b' 3 True" in shown
    assert _result(shown) == {"words": ["a b"] * 3, "flag": True}
    shown = secret.ended()
    assert "secret is ******************" in shown
    assert "a-long-enough-value" not in shown
    assert _result(shown) == [19, "with quotes"]
    shown = fails.ended(1)
    assert "ValueError: of the user's own making" in shown
    assert f"Run {fails.run_id} failed! Please check the logs." in shown
    _results_by_hand(moved, typed.run_id, fails.run_id)
    assert f"Run {nothing.run_id} has no result" in _stderr(ev, "result", nothing.run_id, code=0)
    # A file returns nothing at all: that is 404, which the client tells in its own way.
    assert "Failed to get run result" in _stderr(ev, "result", file.run_id, code=1)


def _result(shown: str) -> object:
    return json.loads(shown.partition("Result for run")[2].partition("\n")[2])


def _results_by_hand(moved: Moved, typed: str, failed: str) -> None:
    ev, expected = moved.ev, {"words": ["a b"] * 3, "flag": True}
    out = ev.home / "new folder" / "result.json"
    pretty = ev.start("result", typed)
    plain = ev.start("result", typed, "--nopretty")
    written = ev.start("result", typed, "--out", str(out))
    assert pretty.ended() == json.dumps(expected, indent=2) + "\n"
    assert plain.ended() == json.dumps(expected)
    written.ended()
    assert json.loads(out.read_text()) == expected
    assert "status is: failed" in _stderr(ev, "result", failed, code=0)
    assert "cannot be cancelled because its status is: failed" in ev("cancel", failed)


def test_a_data_frame_and_a_catalog_are_parameters(
    moved: Moved, s3: S3Server, postgres: PostgresServer, tmp_path: Path
) -> None:
    connected = Connected(s3, postgres, tmp_path)
    connected.fill()
    project = f"/v1/workspaces/{moved.ev.tokens['workspace_id']}/projects/{moved.ev.settings['project_id']}"
    for name, value in connected.secrets.items():
        moved.api.put(f"{project}/secrets/{name}", json={"value": value}).raise_for_status()
    for path, name, info in (
        ("data-sources", "cloud", connected.data_sources["cloud"]),
        ("catalogs", "supa", connected.catalogs["supa"]),
    ):
        moved.api.post(f"{project}/{path}", json={"name": name, "info": info}).raise_for_status()
    given = ["--orders=cloud", "--catalog=supa", "--table=orders"]
    shown = moved.ev("run", "functions.py:joined", "--", *given)
    assert "Found data source 'cloud'" in shown
    assert "Found catalog 'supa'" in shown
    assert _result(shown) == {"total": TOTAL}
    assert not [canary for canary in connected.canaries if canary in shown]
    unknown = moved.ev.start("run", "functions.py:joined", "--", "--orders=none", *given[1:])
    unknown.ended(1)
    assert "Failed to resolve" in unknown.err.read_text()


def test_a_run_is_cancelled(moved: Moved) -> None:
    waits = moved.ev.start("run", "functions.py:waits")
    waits.until(r"(waiting)")
    assert f"Run {waits.run_id} successfully cancelled" in moved.ev("cancel", waits.run_id)
    assert "failed! Please check the logs" in waits.ended(1)
    assert "status is: cancelled" in moved.ev("cancel", waits.run_id)


def test_a_commit_that_was_not_pushed_is_refused_by_the_client_itself(moved: Moved) -> None:
    moved.repo.commit({"late.py": "print('late')\n"})
    before = len(_runs(moved))
    refused = moved.ev.start("run", "late.py")
    shown = refused.ended(1)
    assert "does not exist on remote" in shown
    assert "Must push local commits" in refused.err.read_text()
    assert len(_runs(moved)) == before
    moved.push()


def _runs(moved: Moved) -> list[object]:
    project = moved.ev.settings["project_id"]
    path = f"/v1/workspaces/{moved.ev.tokens['workspace_id']}/projects/{project}/runs"
    return moved.api.get(path, params={"limit": 200}).raise_for_status().json()["runs"]


def test_a_token_about_to_expire_is_refreshed_and_an_old_one_ends_it_all(
    moved: Moved, tmp_path: Path
) -> None:
    ev = DaftCloudClient(tmp_path / "home", moved.repo.path, moved.ev.url)
    try:
        approved(ev.start("login"), lambda code: moved.decide(code, approve=True)).ended()
        first = ev.tokens
        ev.keep({**first, "access_token": about_to_expire(first["access_token"], in_s=240)})
        assert "shop" in ev("list", "projects")
        second = ev.tokens
        assert second["workspace_id"] == first["workspace_id"]
        assert second["refresh_token"] != first["refresh_token"]
        assert second["access_token"] != first["access_token"]
        ev.keep({**first, "access_token": about_to_expire(first["access_token"], in_s=240)})
        assert "refresh failed" in _stderr(ev, "list", "projects", code=1)
        ev.keep(second)
        assert "not authenticated or the session has expired" in ev("list", "projects", code=1)
    finally:
        ev.close()


def test_an_app_is_made_changed_deployed_and_run(moved: Moved) -> None:
    ev = moved.ev
    shown = ev("app", "init", stdin="nightly\nfunctions.py:typed\n")
    app = ev.settings["apps"]["nightly"]
    assert "initialized successfully" in shown
    assert app["id"] in shown
    assert "Added cron trigger: 30 2 * * *" in ev("app", "add-trigger", "nightly", stdin="2\n1\n30 2 * * *\n")
    assert "Environment information updated" in ev("app", "update-environment", "nightly")
    moved.push()
    shown = ev("app", "deploy", "nightly")
    assert f"App ID: {app['id']}" in shown
    assert "Triggers: 1 configured" in shown
    run = ev.start("app", "run", "nightly", "--", "--word=x", "--count=1")
    shown = run.ended()
    assert _result(shown) == {"words": ["x"], "flag": False}
    project, workspace = ev.settings["project_id"], ev.tokens["workspace_id"]
    kept = moved.api.get(f"/v1/workspaces/{workspace}/projects/{project}/tasks/nightly").raise_for_status()
    assert "30 2 * * *" in kept.text
