from __future__ import annotations

import json

import httpx
import msgspec
from factories import NOW

from daftray import Client
from daftray.client import Retry, run_request
from daftray.domain.price import Price, PriceTable
from daftray.domain.spec import Budget

PATH = "/v1/workspaces/default/projects/demo/prices"
TABLE = PriceTable(version=3, prices=(Price(model="m", per_request=1),), created_by="key_1", created_at=NOW)


class Wire:
    def __init__(self, answer: object) -> None:
        self.answer = msgspec.json.encode(answer)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return httpx.Response(200, content=self.answer)

    @property
    def line(self) -> str:
        return f"{self.asked[-1].method} {self.asked[-1].url.raw_path.decode()}"


def client_on(wire: Wire) -> Client:
    transport = httpx.MockTransport(wire)
    return Client("https://x.example", "key", project="demo", retry=Retry(base_s=0), transport=transport)


def test_prices_are_set_as_a_whole() -> None:
    wire = Wire(TABLE)
    assert client_on(wire).prices.set([Price(model="m", per_request=1)], note="why") == TABLE
    assert wire.line == f"PUT {PATH}"
    body = json.loads(wire.asked[-1].content)
    assert (body["note"], body["prices"][0]["model"], body["prices"][0]["per_request"]) == ("why", "m", 1)


def test_prices_are_read_version_by_version() -> None:
    wire = Wire(TABLE)
    assert client_on(wire).prices.get() == TABLE
    assert wire.line == f"GET {PATH}"
    client_on(wire).prices.get(version=2)
    assert wire.line == f"GET {PATH}?version=2"
    listed = Wire({"versions": [TABLE]})
    assert client_on(listed).prices.versions(limit=5) == [TABLE]
    assert listed.line == f"GET {PATH}/versions?limit=5&offset=0"


def test_a_cost_is_asked_for_by_another_version() -> None:
    wire = Wire({"cost": 2.5, "price_version": 7})
    metrics = client_on(wire).runs.metrics("r", price_version=7)
    assert wire.line.endswith("/runs/r/metrics?price_version=7")
    assert (metrics.cost, metrics.price_version) == (2.5, 7)


def test_a_request_for_many_runs_holds_a_budget_too() -> None:
    assert run_request("a.py", budget=Budget(tokens=5)).budget == Budget(tokens=5)
