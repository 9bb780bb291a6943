"""What is told of a run's UDFs that fail, and of the lazy table that it returns, on a real cluster."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from e2e_platform import Platform

from daftray.domain.run import Run
from daftray.domain.status import RunStatus

pytestmark = pytest.mark.ray

PROGRAM = """\
import daft


def check(n: int, limit: int) -> int:
    if n >= limit:
        raise ValueError(f"{n} is too much")
    return n


@daft.func(on_error="ignore")
def score(n: int, limit: int, seen: str) -> int:
    with open(seen, "a") as file:
        file.write(f"{n}\\n")
    if n == 0 and limit > 5:
        raise KeyError("none")
    return check(n, limit)


def main(limit: int, seen: str):
    daft.set_runner_ray()
    frame = daft.from_pydict({"n": list(range(8))})
    return frame.with_column("score", score(frame["n"], limit, seen))
"""


def test_a_lazy_table_is_executed_once_and_its_udfs_problems_are_counted_shown_and_compared(
    platform: Platform, ended: Callable[[Run], Run], tmp_path: Path
) -> None:
    client = platform.client
    commit = platform.repo.commit({"scores.py": PROGRAM})
    runs: list[Run] = []
    for limit in (5, 6):
        seen = tmp_path / f"seen-{limit}"
        kwargs = {"limit": str(limit), "seen": str(seen)}
        runs.append(ended(client.runs.create("scores.py:main", kwargs=kwargs, hash=commit)))
        assert runs[-1].status is RunStatus.SUCCEEDED
        assert sorted(map(int, seen.read_text().split())) == list(range(8)), "each row once"
    first, second = runs

    table = pq.read_table(io.BytesIO(b"".join(client.runs.download_result(first)))).to_pydict()
    assert sorted(zip(table["n"], table["score"], strict=True)) == [
        (n, n if n < 5 else None) for n in range(8)
    ]

    (problem,) = client.runs.problems(first)
    assert (problem.type, problem.count, problem.handled) == ("ValueError", 3, "ignore")
    assert problem.udf is not None
    assert problem.udf.endswith("score")
    detail = client.runs.problem(first, problem.fingerprint)
    assert {sample.message for sample in detail.samples} == {f"{n} is too much" for n in (5, 6, 7)}
    assert detail.source[-1] is not None
    place = problem.frames[-1].line - detail.source[-1].first
    assert detail.source[-1].lines[place] == '        raise ValueError(f"{n} is too much")'
    assert client.runs.source(first, problem.frames[-1].file) == PROGRAM.encode()

    comparison = client.runs.compare_problems(second, first)
    assert [one.type for one in comparison.new] == ["KeyError"]
    assert [(one.fingerprint, one.count) for one in comparison.seen] == [(problem.fingerprint, 2)]
    assert comparison.gone == []
