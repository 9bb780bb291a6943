"""Who gets the next place: bounds first, then fairness between projects, priority, age."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftray.domain.queue import ClusterQueue, QueuedRun
from daftray.runs.admission import Room, choose

GIB = 1024**3


def line(project: str, *ids: str, priority: int = 0) -> tuple[QueuedRun, ...]:
    return tuple(QueuedRun(id=run, project=project, priority=priority) for run in ids)


def test_an_empty_queue_needs_nobody() -> None:
    assert choose(ClusterQueue(), Room(places=4)) == []


def test_within_a_project_it_is_first_in_first_out() -> None:
    assert choose(ClusterQueue(waiting=line("a", "1", "2", "3")), Room(places=2)) == ["1", "2"]


def test_places_go_round_the_projects() -> None:
    waiting = line("a", "1", "2", "3", "4") + line("b", "5", "6")
    assert choose(ClusterQueue(waiting=waiting), Room(places=4)) == ["1", "5", "2", "6"]


def test_who_has_fewer_on_the_cluster_goes_first() -> None:
    queue = ClusterQueue(running={"a": 2, "b": 1}, waiting=line("a", "1") + line("b", "5", "6"))
    assert choose(queue, Room(places=5)) == ["5", "1"]


def test_priority_is_within_a_project_and_between_equals() -> None:
    waiting = line("a", "1", "2") + line("b", "9", priority=5)
    assert choose(ClusterQueue(waiting=waiting), Room(places=3)) == ["9", "1", "2"]
    queue = ClusterQueue(running={"b": 1}, waiting=waiting)
    assert choose(queue, Room(places=2)) == ["1"], "no priority buys more than its project's share"


def test_a_projects_own_bound_leaves_places_to_the_others() -> None:
    queue = ClusterQueue(running={"a": 1}, limits={"a": 1}, waiting=line("a", "1", "2") + line("b", "9"))
    assert choose(queue, Room(places=9)) == ["9"]


@pytest.mark.parametrize(
    ("free", "starting", "admitted"),
    [(4 * GIB, 0, 3), (4 * GIB, 1, 2), (2 * GIB, 0, 1), (1 * GIB, 0, 0), (None, 0, 5)],
)
def test_the_heads_memory_bounds_what_starts(free: int | None, starting: int, admitted: int) -> None:
    room = Room(places=10, head_free=free, head_reserve=GIB, per_run=GIB)
    queue = ClusterQueue(running={"a": 5}, starting=starting, waiting=line("a", *"123456789"))
    assert len(choose(queue, room)) == admitted


def test_an_empty_cluster_takes_one_however_small_its_head_is() -> None:
    room = Room(places=10, head_free=0)
    assert choose(ClusterQueue(waiting=line("a", "1", "2")), room) == ["1"]
    assert choose(ClusterQueue(running={"b": 1}, waiting=line("a", "1", "2")), room) == []


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 5)),
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 4)),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(-1, 1)), max_size=20),
    st.integers(1, 12),
)
def test_bounds_hold_no_place_stays_empty_and_lines_keep_their_order(
    running: dict[str, int], limits: dict[str, int], waiting: list[tuple[str, int]], places: int
) -> None:
    runs = [
        QueuedRun(id=f"{number:02}", project=project, priority=priority)
        for number, (project, priority) in enumerate(waiting)
    ]
    runs.sort(key=lambda run: (run.project, -run.priority, run.id))
    queue = ClusterQueue(running=running, limits=limits, waiting=tuple(runs))
    chosen = choose(queue, Room(places=places))
    by_id = {run.id: run for run in runs}
    total = Counter(running) + Counter(by_id[run_id].project for run_id in chosen)
    for project in {by_id[run_id].project for run_id in chosen}:
        line_of = [run.id for run in runs if run.project == project]
        taken = [run_id for run_id in chosen if by_id[run_id].project == project]
        assert taken == line_of[: len(taken)]
        assert total[project] <= min(limits.get(project, places), places)
    assert not chosen or total.total() <= places
    left = [
        run for run in runs if run.id not in chosen and total[run.project] < limits.get(run.project, places)
    ]
    assert not left or total.total() >= places
