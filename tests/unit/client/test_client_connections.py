"""Calls on data sources and catalogs: method, path, body, and what comes back."""

from __future__ import annotations

import json
from typing import Any

import httpx
import msgspec
import pytest
from factories import a_connection, a_run

from daftray import Client
from daftray.client import Retry
from daftray.domain.catalog import CatalogInfo, GlueCatalog
from daftray.domain.connection import ConnectionSort
from daftray.domain.errors import DataSourceNotFoundError, ProjectNotFoundError
from daftray.domain.spec import Environment

DEMO = "/v1/workspaces/default/projects/demo"
ORDERS = a_connection(id="src_1").as_data_source
MAIN = a_connection(
    id="cat_1", sort=ConnectionSort.CATALOG, name="main", info={"glue": {"name": "main"}}
).as_catalog
INFO = {"parquet": {"paths": ["p"]}}


class Wire:
    """Answers by ``METHOD path``; what is not there is not found, under the code that it is given."""

    def __init__(self, missing: str = "data-source-not-found", **answers: object) -> None:
        self.answers = answers
        self.missing = missing
        self.asked: list[httpx.Request] = []
        transport = httpx.MockTransport(self)
        self.client = Client(
            "https://x.example", "key", project="demo", retry=Retry(base_s=0), transport=transport
        )

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.method in self.answers:
            return httpx.Response(200, content=msgspec.json.encode(self.answers[request.method]))
        return httpx.Response(404, json={"type": self.missing, "detail": "none"})

    @property
    def lines(self) -> list[str]:
        return [f"{one.method} {one.url.raw_path.decode()}" for one in self.asked]

    @property
    def body(self) -> Any:  # any JSON
        return json.loads(self.asked[-1].content)


def test_both_sorts_are_listed_in_their_own_types() -> None:
    wire = Wire(GET={"data_sources": [ORDERS], "page": 1})
    assert wire.client.data_sources.list() == [ORDERS]
    assert wire.lines == [f"GET {DEMO}/data-sources?limit=200&offset=0"]
    wire = Wire(GET={"catalogs": [MAIN]})
    assert wire.client.catalogs.list() == [MAIN]
    assert wire.lines == [f"GET {DEMO}/catalogs?limit=200&offset=0"]


def test_one_is_shown_made_replaced_and_removed() -> None:
    wire = Wire(GET=MAIN, POST=MAIN, PUT=MAIN, DELETE=None)
    catalogs = wire.client.catalogs
    assert catalogs.get("a/b") == MAIN
    info = CatalogInfo(glue=GlueCatalog(name="main"))
    assert catalogs.create("main", info) == MAIN
    assert wire.body == {"name": "main", "info": {"glue": {"name": "main"}}}
    assert catalogs.replace("cat_1", "other", {"glue": {"name": "x"}}) == MAIN
    assert wire.body == {"name": "other", "info": {"glue": {"name": "x"}}}
    catalogs.delete("main")
    assert wire.lines == [
        f"GET {DEMO}/catalogs/a%2Fb",
        f"POST {DEMO}/catalogs",
        f"PUT {DEMO}/catalogs/cat_1",
        f"DELETE {DEMO}/catalogs/main",
    ]


def test_one_is_set_whether_or_not_it_was_there() -> None:
    wire = Wire(POST=ORDERS)
    assert wire.client.data_sources.set("orders", INFO) == ORDERS
    assert wire.lines == [f"GET {DEMO}/data-sources/orders", f"POST {DEMO}/data-sources"]
    wire = Wire(GET=ORDERS, PUT=ORDERS)
    wire.client.data_sources.set("src_1", INFO)
    assert wire.lines[1:] == [f"PUT {DEMO}/data-sources/src_1"]
    assert wire.body == {"name": "orders", "info": INFO}


def test_nothing_is_made_where_the_project_is_not_there() -> None:
    wire = Wire("project-not-found", POST=ORDERS)
    with pytest.raises(ProjectNotFoundError):
        wire.client.data_sources.set("orders", INFO)
    assert len(wire.asked) == 1


def test_a_check_is_a_run() -> None:
    run = a_run()
    wire = Wire(POST={"run": run})
    environment = Environment(dependencies=["pyiceberg"])
    assert wire.client.data_sources.check("orders", environment=environment, timeout_s=60) == run
    assert wire.lines == [f"POST {DEMO}/data-sources/orders/check"]
    assert (wire.body["environment"]["dependencies"], wire.body["timeout_s"]) == (["pyiceberg"], 60)
    with pytest.raises(DataSourceNotFoundError):
        Wire().client.data_sources.check("none")
