"""A secret's value is where its run can use it, and nowhere else."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from e2e_files import WAIT_FOR_FILE
from e2e_platform import Platform, wait_for
from leaks import command_lines, everything_below

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.status import RunPhase, RunStatus
from daftray.server.local_ray import LocalCluster

pytestmark = pytest.mark.ray

PROGRAM = """\
import os
import sys

import ray

ray.init(log_to_driver=True)


@ray.remote
def in_a_worker():
    print("worker prints", os.environ["CANARY"])
    return os.environ["CANARY"] == os.environ["OWN_CANARY"][::-1]


assert ray.get(in_a_worker.remote()), "the worker lacks the secrets"
print("driver prints", os.environ["CANARY"], os.environ["OWN_CANARY"], file=sys.stderr)
"""


def test_a_secret_is_in_driver_and_workers_and_nowhere_else(
    platform: Platform, client: Client, ended: Callable[[Run], Run], ray_cluster: LocalCluster, tmp_path: Path
) -> None:
    canary, own = secrets.token_hex(16), ""
    own = canary[::-1]
    client.secrets.set("CANARY", canary)
    gate = tmp_path / "gate"
    commit = platform.repo.commit({"canary/main.py": PROGRAM + WAIT_FOR_FILE})
    run = client.runs.create("canary/main.py", args=[str(gate)], hash=commit, secrets={"OWN_CANARY": own})
    try:
        running = wait_for(
            client, run, lambda now: now.phase is RunPhase.RUNNING and b"waiting" in client.runs.logs(now)
        )
        headers = {"Authorization": f"Bearer {ray_cluster.token}"}
        jobs = httpx.get(f"{ray_cluster.url}/api/jobs/", headers=headers, timeout=30).text
        processes = command_lines()
    finally:
        gate.touch()
    assert ended(running).status is RunStatus.SUCCEEDED
    log = client.runs.logs(run)
    assert b"driver prints" in log
    assert b"worker prints" in log
    for value in (canary, own):
        assert value not in jobs
        assert value not in processes
        assert value.encode() not in log
        assert value.encode() not in everything_below(platform.data_dir), "database, blobs or server log"
        assert value not in repr(client.runs.get(run))
    client.secrets.delete("CANARY")


BUNDLED = """\
import os

print("of a bundle:", os.environ["OWN"], {canary!r})
"""


def test_what_identifies_people_and_programs_is_kept_by_its_digest_alone(
    platform: Platform, ray_cluster: LocalCluster
) -> None:
    """Passwords, keys, cookies, tokens and codes: used as they are meant, and in wrong places as well."""
    url, admin = platform.server.url, {"Authorization": f"Bearer {platform.server.api_key}"}
    name, password = f"ann-{secrets.token_hex(4)}", f"passphrase {secrets.token_hex(12)}"
    with httpx.Client(base_url=url, timeout=60) as api:
        made = api.post(
            "/v1/users", headers=admin, json={"name": name, "password": password}
        ).raise_for_status()
        key = api.post("/v1/api-keys", headers=admin, json={"name": name, "role": "viewer"}).json()["key"]
        device = api.post("/v1/auth/device/authorize").json()
        api.post(
            "/v1/auth/device/approve", headers=admin, json={"user_code": device["user_code"], "approve": True}
        ).raise_for_status()
        tokens = api.post("/v1/auth/device/token", json={"device_code": device["device_code"]}).json()
        login = api.post("/v1/auth/login", json={"name": name, "password": password}).raise_for_status()
        canaries = [password, key.rpartition(".")[2], device["device_code"], tokens["access_token"]]
        canaries += [tokens["refresh_token"].rpartition(".")[2], login.json()["csrf_token"]]
        canaries += [cookie.value.rpartition(".")[2] for cookie in login.cookies.jar if cookie.value]
        assert len(canaries) == 7
        answers = [api.get("/v1/audit", headers=admin, params={"limit": 200})]
        for canary in canaries:
            answers += [
                api.get("/v1/users", headers={"Authorization": f"Bearer {canary}x"}),
                api.post("/v1/auth/login", json={"name": name, "password": f"{canary}x"}),
                api.post("/v1/auth/refresh", json={"refresh_token": f"{canary}x"}),
                api.post("/v1/auth/device/token", json={"device_code": f"{canary}x"}),
            ]
        answers += [api.get("/metrics", headers=admin), api.get("/v1/users", headers=admin)]
        api.delete(f"/v1/users/{made.json()['id']}", headers=admin).raise_for_status()
    kept, told, processes = (
        everything_below(platform.data_dir),
        "".join(it.text for it in answers),
        command_lines(),
    )
    jobs = httpx.get(
        f"{ray_cluster.url}/api/jobs/", headers={"Authorization": f"Bearer {ray_cluster.token}"}, timeout=30
    ).text
    for canary in canaries:
        assert canary.encode() not in kept, "database, blobs or server log"
        assert canary not in told + jobs + processes


def test_a_bundle_and_the_secrets_of_its_run_stay_where_they_belong(
    platform: Platform, client: Client, ended: Callable[[Run], Run], ray_cluster: LocalCluster, tmp_path: Path
) -> None:
    in_bundle, own = secrets.token_hex(16), secrets.token_hex(16)
    pushed = platform.repo.commit({"canary/bundled.py": "print('pushed')\n"})
    clone = platform.repo.clone(tmp_path / "clone")
    unpushed = clone.commit({"canary/bundled.py": BUNDLED.format(canary=in_bundle)})
    run = ended(
        client.runs.create(
            "canary/bundled.py", hash=unpushed, bundle=clone.bundle(f"{pushed}..HEAD"), secrets={"OWN": own}
        )
    )
    assert run.status is RunStatus.SUCCEEDED
    log = client.runs.logs(run).decode()
    assert in_bundle in log, "what a program prints itself is no secret"
    headers = {"Authorization": f"Bearer {platform.server.api_key}"}
    audit = httpx.get(f"{platform.server.url}/v1/audit", headers=headers, timeout=60).text
    jobs = httpx.get(
        f"{ray_cluster.url}/api/jobs/", headers={"Authorization": f"Bearer {ray_cluster.token}"}, timeout=30
    ).text
    seen = repr(run) + audit + jobs + platform.server.log.read_text() + command_lines()
    assert in_bundle not in seen
    assert own not in seen + log
    assert own.encode() not in everything_below(platform.data_dir)


def test_a_backup_of_the_database_opens_nothing(platform: Platform, client: Client, tmp_path: Path) -> None:
    """Neither what it holds nor what was in it before it was changed or removed."""
    values = [secrets.token_hex(16) for _ in range(3)]
    client.secrets.set("BACKED_UP", values[0])
    client.secrets.set("BACKED_UP", values[1])
    client.secrets.set("REMOVED", values[2])
    client.secrets.delete("REMOVED")
    (database,) = platform.data_dir.glob("*.db")
    copy = tmp_path / "backup.db"
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    client.secrets.delete("BACKED_UP")
    assert copy.stat().st_size > 0
    for value in [*values, platform.server.api_key, platform.server.api_key.rpartition(".")[2]]:
        assert value.encode() not in copy.read_bytes()
        assert value.encode() not in b"".join(path.read_bytes() for path in platform.data_dir.glob("*.db*"))
