"""Parameters that a run fills from the project's data sources and catalogs, opened for real on Ray."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from connected import TOTAL, Connected
from e2e_platform import Platform
from leaks import everything_below
from postgres_server import PostgresServer
from s3_server import S3Server

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.status import FailureReason, RunStatus

pytestmark = pytest.mark.ray

FUNCTIONS = '''\
from __future__ import annotations

import io

import daft
from daft import Catalog, DataFrame


@daft.func
def doubled(amount: float) -> float:
    return amount * 2


def total(orders: DataFrame, scale: int = 1) -> dict:
    """Sum, through a UDF on Ray's workers; and everything that Daft shows of a plan."""
    text = io.StringIO()
    frame = orders.select(doubled(orders["amount"]).alias("doubled"))
    frame.explain(show_all=True, file=text)
    frame.explain(show_all=True)
    found = frame.sum("doubled").to_pydict()["doubled"][0] / 2
    runner = daft.runners.get_or_infer_runner_type()
    return {"total": found * scale, "plan": text.getvalue(), "runner": runner}


def of_table(catalog: Catalog, table: str) -> dict:
    total = catalog.get_table(table).read().sum("amount").to_pydict()["amount"][0]
    return {"names": [str(one) for one in catalog.list_tables()], "total": total}


def compared(left: daft.DataFrame, *, warehouse: Catalog | None = None) -> bool:
    right = warehouse.get_table("shop.orders").read()
    return left.join(right, on="id").count_rows() == left.count_rows()


def unopened(orders: DataFrame) -> None:
    orders.count_rows()
'''


@dataclass(frozen=True)
class Shop:
    """A project with data sources and catalogs, and its functions at a commit."""

    client: Client
    api: httpx.Client
    path: str
    connected: Connected
    commit: str

    def run(self, symbol: str, *args: Any, **kwargs: Any) -> Run:
        return self.client.runs.create(
            f"connections.py:{symbol}", args=list(args), kwargs=kwargs, hash=self.commit
        )

    def check(self, where: str, name: str) -> str:
        """Start a check, and return the run's id."""
        answer = self.api.post(f"{self.path}/{where}/{name}/check", json={})
        assert answer.status_code == 202, answer.text
        return answer.json()["run"]["id"]


@pytest.fixture(scope="module")
def shop(
    platform: Platform, s3: S3Server, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Shop]:
    connected = Connected(s3, postgres, tmp_path_factory.mktemp("connected"))
    connected.fill()
    headers = {"Authorization": f"Bearer {platform.server.api_key}"}
    with httpx.Client(base_url=platform.server.url, headers=headers, timeout=60) as api:
        path = "/v1/workspaces/default/projects/e2e"
        for name, value in connected.secrets.items():
            platform.client.secrets.set(name, value)
        for where, named in (("data-sources", connected.data_sources), ("catalogs", connected.catalogs)):
            for name, info in named.items():
                made = api.post(f"{path}/{where}", json={"name": name, "info": info})
                assert made.status_code == 201, made.text
        commit = platform.repo.commit({"connections.py": FUNCTIONS})
        yield Shop(platform.client, api, path, connected, commit)


def test_parameters_are_filled_from_what_the_project_names(
    shop: Shop, platform: Platform, ended: Callable[[Run], Run]
) -> None:
    runs = {name: shop.run("total", name, scale="2") for name in shop.connected.data_sources}
    tables = {
        "lake": shop.run("of_table", table="shop.orders", catalog="lake"),
        "supa": shop.run("of_table", table="orders", catalog={"catalog": "supa"}),
    }
    both = shop.run("compared", {"data_source": "rows"}, warehouse="lake")
    for name, run in runs.items():
        assert ended(run).status is RunStatus.SUCCEEDED, name
        result: Any = shop.client.runs.result(run)
        assert (result["total"], result["runner"]) == (2 * TOTAL, "ray")
        assert "Plan" in result["plan"]
        _nowhere(shop, platform, run, result)
    for run in tables.values():
        assert ended(run).status is RunStatus.SUCCEEDED
        result = shop.client.runs.result(run)
        assert result["total"] == TOTAL
        assert any("orders" in name for name in result["names"])
        _nowhere(shop, platform, run, result)
    assert ended(both).status is RunStatus.SUCCEEDED
    assert shop.client.runs.result(both) is True


def _nowhere(shop: Shop, platform: Platform, run: Run, result: object) -> None:
    kept = everything_below(platform.data_dir)
    log = shop.client.runs.logs(run)
    for canary in shop.connected.canaries:
        assert canary not in repr(result)
        assert canary.encode() not in log
        assert canary.encode() not in kept, "database, blobs or server log"
        assert canary not in repr(shop.client.runs.get(run))


def test_a_check_opens_it_and_tells_what_is_there_or_what_is_wrong(
    shop: Shop, platform: Platform, ended: Callable[[Run], Run]
) -> None:
    wrong = "wr0ng-p4ssw0rd"
    shop.client.secrets.set("WRONG", shop.connected.database_url.replace(shop.connected.canary, wrong))
    info = {"sql": {"query": "SELECT 1 AS one", "secret_name": "WRONG"}}
    shop.api.post(f"{shop.path}/data-sources", json={"name": "closed", "info": info}).raise_for_status()
    started = {
        name: shop.client.runs.get(shop.check(where, name))
        for where, name in (("data-sources", "delta"), ("catalogs", "lake"), ("data-sources", "closed"))
    }
    told: dict[str, Any] = {}
    for name, run in started.items():
        assert ended(run).status is RunStatus.SUCCEEDED
        told[name] = shop.client.runs.result(run)
    print(told)
    assert "amount" in repr(told["delta"])
    assert "shop" in repr(told["lake"])
    assert "password authentication failed" in repr(told["closed"])
    assert wrong not in repr(told) + repr(shop.client.runs.problems(started["closed"]))
    assert wrong.encode() not in shop.client.runs.logs(started["closed"])
    assert wrong.encode() not in everything_below(platform.data_dir)


def test_what_cannot_be_found_fails_before_the_function_is_called(
    shop: Shop, ended: Callable[[Run], Run]
) -> None:
    run = ended(shop.run("unopened", "clowd"))
    assert (run.status, run.reason) == (RunStatus.FAILED, FailureReason.ARGUMENTS_INVALID)
    assert "Did you mean" in (run.reason_detail or "")
    assert "cloud" in (run.reason_detail or "")
