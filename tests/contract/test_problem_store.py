"""What every `ProblemStore` does: the same end, however often and in whatever order reports come."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from factories import (
    a_finished,
    a_frame,
    a_problem,
    a_problem_report,
    a_run,
    a_sample,
    a_started,
    an_exception,
    at,
    new,
)
from msgspec.structs import replace
from stores import Stores

from daftray.domain import problem as problem_module
from daftray.domain.errors import RunNotFoundError
from daftray.domain.problem import MOST_SAMPLES, OTHERS, Problem, ProblemReport, ProblemSample

F, G = "f" * 16, "0123456789abcdef"


@pytest.fixture
async def run_id(stores: Stores) -> str:
    run = a_run()
    await stores.runs.add(new(run))
    return run.id


async def test_a_problem_comes_back_with_all_that_was_said_of_it(stores: Stores, run_id: str) -> None:
    cause = an_exception(type="KeyError", message="'x'")
    exception = an_exception(
        message="\x00 no", frames=[a_frame(code="x = 1")], causes=[cause], notes=["row 3"]
    )
    report = a_problem_report(
        count=3,
        udf="embed",
        handled="ignore",
        first_seen=at(1),
        last_seen=at(9),
        exception=exception,
        stacktrace="Traceback …\n\x00",
        samples=(a_sample(arguments=["'a'", "1"], attempt=1),),
    )
    await stores.problems.fold(run_id, 1, [report])
    (found,) = await stores.problems.problems(run_id)
    assert found == a_problem(
        message="\x00 no",
        udf="embed",
        count=3,
        first_seen=at(1),
        last_seen=at(9),
        handled="ignore",
        frames=exception.frames,
        causes=[cause],
        notes=["row 3"],
    )
    assert await stores.problems.stacktrace(run_id, F, 1) == "Traceback …\n\x00"
    assert await stores.problems.samples(run_id, F) == [a_sample(arguments=["'a'", "1"])]


async def test_the_greatest_count_of_each_process_and_key_counts(stores: Stores, run_id: str) -> None:
    await stores.problems.fold(run_id, 1, [a_problem_report(count=5, last_seen=at(5))])
    await stores.problems.fold(run_id, 1, [a_problem_report(count=2, last_seen=at(2))])
    await stores.problems.fold(
        run_id,
        1,
        [
            a_problem_report(process="worker", count=7, first_seen=at(-3), last_seen=at(4)),
            a_problem_report(key="other", count=11, last_seen=at(6)),
            a_problem_report(key="other", count=10, last_seen=at(8)),
        ],
    )
    (found,) = await stores.problems.problems(run_id)
    assert (found.count, found.first_seen, found.last_seen) == (5 + 7 + 11, at(-3), at(6))


async def test_attempts_and_fingerprints_are_apart_and_the_most_frequent_comes_first(
    stores: Stores, run_id: str
) -> None:
    await stores.problems.fold(
        run_id, 1, [a_problem_report(count=2), a_problem_report(key="g", fingerprint=G)]
    )
    await stores.problems.fold(run_id, 2, [a_problem_report(count=9)])
    assert [(one.attempt, one.fingerprint, one.count) for one in await stores.problems.problems(run_id)] == [
        (2, F, 9),
        (1, F, 2),
        (1, G, 1),
    ]
    assert [one.count for one in await stores.problems.problems(run_id, 1)] == [2, 1]
    assert await stores.problems.problems(run_id, 3) == []


async def test_the_gravest_that_became_of_it_is_told(stores: Stores, run_id: str) -> None:
    retried = a_problem_report(key="retry", handled="retry", count=4)
    await stores.problems.fold(run_id, 1, [retried, a_problem_report(key="log", handled="log")])
    assert [one.handled for one in await stores.problems.problems(run_id)] == ["log"]
    await stores.problems.fold(run_id, 1, [replace(retried, handled="raise", count=5)])
    assert [one.handled for one in await stores.problems.problems(run_id)] == ["raise"]


async def test_the_end_of_an_attempt_brings_its_problem_once(stores: Stores, run_id: str) -> None:
    report = a_problem_report(process="", key="finished")
    for _ in range(3):
        await stores.reports.finished(run_id, a_finished(), report)
    await stores.reports.finished(run_id, a_finished(), a_problem_report(key="late", fingerprint=G))
    await stores.reports.finished(run_id, a_finished(attempt=2), report)
    assert [(one.attempt, one.count) for one in await stores.problems.problems(run_id)] == [(1, 1), (2, 1)]


async def test_the_earliest_samples_stay(stores: Stores, run_id: str) -> None:
    def sample(second: int) -> ProblemSample:
        return a_sample(at=at(second), message=f"no {second}")

    for start in (40, 10, 25, 0, 10):
        samples = tuple(sample(second) for second in range(start, start + 15))
        await stores.problems.fold(run_id, 1, [a_problem_report(samples=samples)])
    assert await stores.problems.samples(run_id, F) == [sample(second) for second in range(MOST_SAMPLES)]
    assert await stores.problems.samples(run_id, F, 2) == []
    assert await stores.problems.samples(run_id, G) == []
    await stores.problems.fold(run_id, 2, [a_problem_report(samples=(a_sample(at=at(-1), attempt=2),))])
    assert [one.attempt for one in await stores.problems.samples(run_id, F)] == [2] + [1] * (MOST_SAMPLES - 1)


async def test_samples_of_one_moment_are_apart_by_process_key_and_message(
    stores: Stores, run_id: str
) -> None:
    one, two = a_sample(worker="a"), a_sample(worker="a", message="other")
    reports = [
        a_problem_report(samples=(one, two)),
        a_problem_report(samples=(one,)),
        a_problem_report(process="b", samples=(replace(one, worker="b"),)),
    ]
    await stores.problems.fold(run_id, 1, reports)
    found = await stores.problems.samples(run_id, F)
    assert sorted((sample.worker, sample.message) for sample in found) == [
        ("a", "no"),
        ("a", "other"),
        ("b", "no"),
    ]


async def test_kinds_beyond_the_bound_are_counted_together(
    stores: Stores, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problem_module, "MOST_PROBLEMS", 3)

    def report(number: int, count: int = 1) -> ProblemReport:
        return a_problem_report(key=str(number), fingerprint=f"{number:016x}", count=count)

    await stores.problems.fold(run_id, 1, [report(1), report(2)])
    await stores.problems.fold(run_id, 1, [report(3), report(4), report(5)])
    await stores.problems.fold(run_id, 1, [report(1, count=2), report(4, count=10), report(6)])
    counts = {one.fingerprint: one.count for one in await stores.problems.problems(run_id)}
    assert counts == {f"{1:016x}": 2, f"{2:016x}": 1, f"{3:016x}": 1, OTHERS: 10 + 1 + 1}


async def test_a_report_shows_that_a_started_attempt_is_alive(stores: Stores, run_id: str) -> None:
    await stores.problems.fold(run_id, 1, [a_problem_report()])
    assert (await stores.reports.reports(run_id, 1)).heard_at is None
    await stores.reports.started(run_id, a_started())
    now = stores.clock.move(5)
    await stores.problems.fold(run_id, 1, [a_problem_report()])
    assert (await stores.reports.reports(run_id, 1)).heard_at == now


@pytest.mark.parametrize("order", [1, -1])
async def test_of_exceptions_of_one_moment_the_same_one_speaks_for_all(
    stores: Stores, run_id: str, order: int
) -> None:
    reports = [
        a_problem_report(process=process, exception=an_exception(message=f"of {process}"))
        for process in ("a", "b")
    ]
    for report in reports[::order]:
        await stores.problems.fold(run_id, 1, [report])
    assert [one.message for one in await stores.problems.problems(run_id)] == ["of a"]


async def test_servers_that_fold_at_once_lose_and_double_nothing(stores: Stores, run_id: str) -> None:
    """Each fold is a transaction of its own, as those of several servers are."""
    reports = [
        a_problem_report(
            process=f"worker-{number}",
            key=key,
            fingerprint=fingerprint,
            count=number,
            first_seen=at(number),
            samples=(a_sample(at=at(number), worker=f"worker-{number}"),),
        )
        for number in range(1, 31)
        for key, fingerprint in (("a", F), ("b", G))
    ]
    batches = [reports[start : start + 6] for start in range(0, 60, 6)]
    await asyncio.gather(
        *(stores.problems.fold(run_id, 1, batch) for batch in [*batches, *reversed(batches)])
    )
    found = await stores.problems.problems(run_id)
    assert [(one.count, one.first_seen) for one in found] == [(sum(range(1, 31)), at(1))] * 2
    for fingerprint in (F, G):
        samples = await stores.problems.samples(run_id, fingerprint)
        assert [sample.at for sample in samples] == [at(number) for number in range(1, MOST_SAMPLES + 1)]


async def test_problems_of_no_run_are_refused(stores: Stores) -> None:
    with pytest.raises(RunNotFoundError):
        await stores.problems.fold("run_none", 1, [a_problem_report()])
    await stores.problems.fold("run_none", 1, [])
    assert await stores.problems.problems("run_none") == []
    assert await stores.problems.samples("run_none", F) == []
    assert await stores.problems.stacktrace("run_none", F, 1) is None


@pytest.mark.parametrize("seed", range(20))
async def test_any_order_of_reports_has_the_same_end(stores: Stores, run_id: str, seed: int) -> None:
    """Lost reports are made good by later ones; doubled, late or swapped ones change nothing."""
    chance = random.Random(seed)  # noqa: S311 (a repeatable shuffle)
    sent = _what_processes_send(chance)
    last = [reports[-1] for reports in sent]
    lossy = [one for reports in sent for one in reports if one in last or chance.random() < 0.7]
    arriving = lossy + chance.sample(lossy, len(lossy) // 2)
    chance.shuffle(arriving)
    while arriving:
        size = chance.randint(1, 5)
        await stores.problems.fold(run_id, 1, arriving[:size])
        del arriving[:size]
    found = await stores.problems.problems(run_id)
    assert {one.fingerprint: one for one in found} == {
        fingerprint: _summed([one for one in last if one.fingerprint == fingerprint])
        for fingerprint in {one.fingerprint for one in last}
    }
    for one in found:
        expected = [
            sample for report in last if report.fingerprint == one.fingerprint for sample in report.samples
        ]
        samples = await stores.problems.samples(run_id, one.fingerprint)
        assert samples == sorted(expected, key=lambda sample: sample.at)[:MOST_SAMPLES]


def _what_processes_send(chance: random.Random) -> list[list[ProblemReport]]:
    """Return the reports of each process and key, in the order in which they were sent."""
    sent: list[list[ProblemReport]] = []
    moments = iter(chance.sample(range(10_000), 400))
    for process in ("driver", *(f"worker-{number}" for number in range(6))):
        for key, fingerprint in (("a", F), ("b", F), ("c", G)):
            first = next(moments)
            report = a_problem_report(
                process=process,
                key=key,
                fingerprint=fingerprint,
                count=0,
                first_seen=at(first),
                last_seen=at(first),
                exception=an_exception(message=f"{process} {key}"),
            )
            reports: list[ProblemReport] = []
            for _ in range(chance.randint(1, 5)):
                sample = a_sample(at=at(next(moments)), worker=process)
                report = replace(
                    report,
                    count=report.count + chance.randint(1, 9),
                    last_seen=at(first + 10_000 + len(reports)),
                    samples=(*report.samples, sample)[:5],
                )
                reports.append(report)
            sent.append(reports)
    return sent


def _summed(reports: Sequence[ProblemReport]) -> Problem:
    earliest = min(reports, key=lambda one: one.first_seen)
    return replace(
        earliest.problem(1),
        count=sum(one.count for one in reports),
        last_seen=max(one.last_seen for one in reports),
    )
