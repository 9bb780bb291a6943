"""``daftray prices``, and what runs cost on the screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from factories import NOW
from msgspec.structs import replace
from shell import Shell
from small_api import PROJECTS, SmallApi
from small_server import as_json

from daftray.domain.metrics import RunMetrics, Unpriced, UsageLine, UsageSummary
from daftray.domain.price import Price, PriceTable
from daftray.domain.spec import Budget

P = ("--project", "scoring")
PRICES = f"{PROJECTS}/scoring/prices"
TABLE = PriceTable(
    version=2,
    prices=(
        Price(model="gpt-*", per_million_tokens_in=0.25, per_million_tokens_out=2),
        Price(model="flux", provider="bfl", per_request=0.0004),
    ),
    note="of November",
    created_by="key_1",
    created_at=NOW,
)


def test_prices_are_shown_to_the_last_digit(shell: Shell, api: SmallApi) -> None:
    api.server.on(f"GET {PRICES}", as_json(TABLE))
    assert shell.run("prices", "get", *P) == 0
    lines = shell.out.splitlines()
    assert lines[0] == "version 2 of 2026-11-01 12:00:00Z, in US dollars: of November"
    assert [line.split() for line in lines[2:]] == [
        ["gpt-*", "-", "0.25", "2", "-"],
        ["flux", "bfl", "-", "-", "0.0004"],
    ]
    shell.run("prices", "get", *P, "--version", "1")
    assert api.server.requests(f"GET {PRICES}")[-1].query == {"version": "1"}


def test_what_is_shown_as_json_can_be_set_again(shell: Shell, api: SmallApi, tmp_path: Path) -> None:
    api.server.on(f"GET {PRICES}", as_json(TABLE))
    api.server.on(f"PUT {PRICES}", as_json(TABLE))
    shell.run("prices", "get", *P, "--json")
    file = tmp_path / "prices.json"
    file.write_text(shell.out)
    assert shell.run("prices", "set", str(file), *P, "--note", "again") == 0
    (asked,) = api.server.requests(f"PUT {PRICES}")
    assert asked.json["note"] == "again"
    assert [price["model"] for price in asked.json["prices"]] == ["gpt-*", "flux"]
    assert "2 prices of project scoring are version 2" in shell.err
    assert shell.run("prices", "set", "-", *P, stdin='[{"model": "m", "per_request": 1}]') == 0
    assert api.server.requests(f"PUT {PRICES}")[-1].json["prices"][0]["per_request"] == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nonsense", "holds no list of prices"),
        ('[{"model": "m", "per_request": -1}]', "holds no list of prices: Expected `float` >= 0"),
        (None, "cannot be read"),
    ],
)
def test_a_file_without_prices_is_told(
    shell: Shell, api: SmallApi, tmp_path: Path, text: str | None, told: str
) -> None:
    file = tmp_path / "prices.json"
    if text is not None:
        file.write_text(text)
    assert shell.run("prices", "set", str(file), *P) == 2
    assert told in " ".join(shell.err.split())
    assert not api.server.requests(f"PUT {PRICES}")


def test_versions_are_listed(shell: Shell, api: SmallApi) -> None:
    api.server.on(f"GET {PRICES}/versions", as_json({"versions": [TABLE]}))
    assert shell.run("prices", "list", *P) == 0
    assert shell.out.splitlines()[1].split()[:2] == ["2", "2"]


def test_a_cost_is_shown_with_its_prices(shell: Shell, api: SmallApi) -> None:
    lines = (UsageLine(name="m", requests=2, cost=0.0125), UsageLine(name="n", requests=1, cost=1234.5))
    metrics = RunMetrics(cost=1234.5125, cost_at_least=1234.5125, price_version=3, by_model=lines)
    api.server.on(f"GET {api.run}/metrics", as_json(metrics))
    assert shell.run("runs", "metrics", "run_1", *P, "--price-version", "3") == 0
    assert api.server.requests(f"GET {api.run}/metrics")[-1].query == {"price_version": "3"}
    assert "$1,234.51 (prices version 3)" in shell.out
    assert "$0.0125" in shell.out


def test_a_cost_that_is_not_known_in_all_says_what_is_missing(shell: Shell, api: SmallApi) -> None:
    missing = (Unpriced(why="no price", model="llama"), Unpriced(why="no model named"))
    metrics = RunMetrics(cost_at_least=0.5, price_version=1, cost_missing=missing)
    api.server.on(f"GET {api.run}/metrics", as_json(metrics))
    shell.run("runs", "metrics", "run_1", *P)
    assert "at least $0.5 (prices version 1), not known in all: llama: no price, no model named" in shell.out


def test_a_run_shows_its_budget_and_cost(shell: Shell, api: SmallApi) -> None:
    api.ended = replace(api.ended, budget=Budget(tokens=2_000_000, usd=5), usage=UsageSummary(cost=0.25))
    assert shell.run("runs", "get", "run_1", *P) == 0
    assert "2,000,000 tokens, $5.00" in shell.out
    assert "$0.25" in shell.out
