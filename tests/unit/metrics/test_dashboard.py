"""The Grafana dashboard asks for what the server shows, by the labels that it has, and for all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_memory import FakeClock
from known_tallies import KnownTallies
from prometheus_client.parser import text_string_to_metric_families

from daftray.metrics.exposition import Exposition

BOARD = json.loads((Path(__file__).parents[3] / "deploy/grafana/daftray.json").read_text(encoding="utf-8"))
SCRAPED_BY_PROMETHEUS = {"instance", "job", "le"}
FUNCTIONS = {"sum", "max", "min", "by", "rate", "increase", "histogram_quantile", "vector", "or"}
UNSHOWN = {"daftray_build_info", "daftray_runs_ended_created"}


@pytest.fixture
async def shown() -> dict[str, set[str]]:
    """Return the labels of each name that a scrape may hold."""
    exposition = Exposition(tallies=KnownTallies(), clock=FakeClock())
    for kind in ("metrics", "logs"):
        with exposition.report(kind):
            pass
    families = text_string_to_metric_families((await exposition.text()).decode())
    names: dict[str, set[str]] = {}
    for family in families:
        for sample in family.samples:
            names.setdefault(sample.name, set()).update(sample.labels)
    return names


def queries() -> Iterator[str]:
    for panel in BOARD["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"]
    for variable in BOARD["templating"]["list"]:
        if variable["type"] == "query":
            (name,) = re.findall(r"label_values\((\w+), \w+\)", variable["definition"])
            yield name


def names_in(query: str) -> set[str]:
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)', " ", query)
    return set(re.findall(r"[a-z_]\w+", bare)) - FUNCTIONS


def labels_in(query: str) -> set[str]:
    grouped = {name for group in re.findall(r"by \(([^)]*)\)", query) for name in re.split(r", *", group)}
    return grouped | set(re.findall(r'(\w+) *(?:=~|!~|!=|=) *"', query))


def test_every_query_names_what_is_shown_by_labels_that_it_has(shown: dict[str, set[str]]) -> None:
    found = list(queries())
    assert len(found) > 20
    for query in found:
        names = names_in(query)
        assert names, query
        assert names <= shown.keys(), (query, names - shown.keys())
        labels = set().union(*(shown[name] for name in names)) | SCRAPED_BY_PROMETHEUS
        assert labels_in(query) <= labels, (query, labels_in(query) - labels)


def test_all_figures_of_ours_are_on_it(shown: dict[str, set[str]]) -> None:
    asked = {name for query in queries() for name in names_in(query)}
    ours = {name for name in shown if name.startswith("daftray_")} - UNSHOWN
    wanted = {re.sub(r"_(count|sum)$", "_bucket", name) for name in ours if not name.endswith("_created")}
    assert wanted <= asked, wanted - asked


def test_what_legends_are_made_of_is_left_by_the_query() -> None:
    targets: list[dict[str, Any]] = [one for panel in BOARD["panels"] for one in panel.get("targets", [])]
    for target in targets:
        for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
            assert label in labels_in(target["expr"]) | {"instance"}, target


def test_panels_have_numbers_and_places_of_their_own() -> None:
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    cells = [
        (column, line)
        for place in (panel["gridPos"] for panel in BOARD["panels"])
        for column in range(place["x"], place["x"] + place["w"])
        for line in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(column for column, _ in cells) < 24
