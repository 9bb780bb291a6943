from __future__ import annotations

from datetime import timedelta

import pytest
from ended_runs import DAY
from factories import NOW

from daftray.domain.retention import KEPT_SOURCE, Kept
from daftray.logs.chunks import growing_key, sealed_key
from daftray.logs.fact_store import facts_key, group_key
from daftray.metrics.outcomes import result_key
from daftray.retention import keys
from daftray.retention.policy import Bound, choose, in_units, older_than
from daftray.runs import sources

KEPT = [Kept(run=f"run_{days}", attempt=1, size=10, since=NOW - days * DAY) for days in (9, 7, 5, 3, 1)]


def chosen(bound: Bound, *, total: int = 50) -> list[tuple[str, bool]]:
    return [(one.kept.run, one.too_old) for one in choose(KEPT, bound, now=NOW, total=total)]


def test_nothing_goes_without_a_bound() -> None:
    assert chosen(Bound()) == []


def test_what_is_too_old_goes() -> None:
    assert chosen(Bound(age=5 * DAY)) == [("run_9", True), ("run_7", True)]
    assert chosen(Bound(age=10 * DAY)) == []


def test_the_oldest_go_until_the_rest_fits() -> None:
    assert chosen(Bound(size=30)) == [("run_9", False), ("run_7", False)]
    assert chosen(Bound(size=31)) == [("run_9", False), ("run_7", False)]
    assert chosen(Bound(size=50)) == []


def test_what_goes_on_counts_and_stays() -> None:
    assert [run for run, _ in chosen(Bound(size=30), total=1000)] == [one.run for one in KEPT]


def test_what_is_too_old_makes_room_first() -> None:
    assert chosen(Bound(age=8 * DAY, size=35)) == [("run_9", True), ("run_7", False)]


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (10 * 1024**3, "10 GiB")]
)
def test_bytes_for_people(size: int, text: str) -> None:
    assert in_units(size) == text


def test_ages_for_people() -> None:
    assert older_than(DAY) == "older than 1 day"
    assert older_than(90 * DAY) == "older than 90 days"
    assert older_than(timedelta(minutes=10)) == "older than 10 minutes"


def test_keys_are_read_as_they_are_made() -> None:
    kept = KEPT[0]
    log = keys.blobs_of("logs", kept)
    assert log.endswith("/")
    facts = (facts_key(kept.run, 1, 3), group_key(kept.run, 1, 3))
    for made in (sealed_key(kept.run, 1, 3), growing_key(kept.run, 1, 0, 7), *facts):
        assert made.startswith(log)
        assert made.startswith(keys.blobs_of_run(kept.run))
        assert keys.run_of(made) == kept.run
    assert not sealed_key(kept.run, 11, 0).startswith(log)
    assert keys.blobs_of("results", kept) == result_key(kept.run, 1)
    assert keys.run_of(result_key(kept.run, 1)) == kept.run
    assert keys.source_of(sources._key("prj_1", "a" * 64)) == ("prj_1", "a" * 64)
    assert sources.KEPT == KEPT_SOURCE


@pytest.mark.parametrize("key", ["runs/run_1", "other/run_1/x", "projects/prj_1/sources/short", "runs//x"])
def test_other_keys_are_nobodys(key: str) -> None:
    assert keys.run_of(key) is None
    assert keys.source_of(key) is None
