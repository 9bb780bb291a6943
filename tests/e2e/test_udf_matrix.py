"""UDFs, tasks and actors on Ray: what is shown of them is what they did, to the token and the raising line.

``MATRIX=full`` runs every cell of the matrix (a quarter of an hour); otherwise some of each kind run.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from e2e_platform import Platform
from openai_server import TOKENS_OUT, OpenAiServer, openai_server
from udf_matrix import HANDLED, RAISING_LINE, SHAPES, SOURCE, WORDS, cells, few_cells

from daftray.client import Client
from daftray.domain.metrics import RunMetrics, UsageLine
from daftray.domain.problem import Problem
from daftray.domain.run import Run
from daftray.domain.spec import Environment
from daftray.domain.status import RunStatus

FULL = os.environ.get("MATRIX") == "full"
PARTS = {shape: cells(shape) for shape in SHAPES} if FULL else {"some of each": few_cells()}
"""What one run takes: a process tells a hundred kinds of exceptions apart."""
TIMEOUT_S = 600 if FULL else 170

pytestmark = [pytest.mark.ray, pytest.mark.timeout(TIMEOUT_S + 60)]


def ended_of(client: Client, run: Run) -> Run:
    last = client.runs.wait(run, timeout_s=TIMEOUT_S)
    print(f"{last.id}: {last.status} {last.reason} {last.reason_detail}")
    print(client.runs.logs(last).decode(errors="replace")[-5000:])
    return last


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """What the run itself wrote of what it did: on one machine, all of its processes can."""
    path = tmp_path / "ledger"
    path.touch()
    return path


@pytest.mark.parametrize("part", PARTS)
def test_each_cell_of_the_matrix_is_counted_exactly(
    platform: Platform, client: Client, ledger: Path, part: str
) -> None:
    wanted = PARTS[part]
    commit = platform.repo.commit({"matrix/flow.py": SOURCE.encode()})
    with openai_server() as model:
        variables = {
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_API_KEY": "none",
            "LEDGER": str(ledger),
            "DAFT_PROGRESS_BAR": "0",
        }
        run = ended_of(
            client,
            client.runs.create(
                "matrix/flow.py:main",
                kwargs={"cells": wanted},
                hash=commit,
                environment=Environment(environment_variables=variables),
            ),
        )
    assert run.status is RunStatus.SUCCEEDED
    how = client.runs.result(run)
    metrics, problems = client.runs.metrics(run), client.runs.problems(run)
    did = Counter(ledger.read_text().splitlines())
    wrong = {
        cell: said for cell in wanted if (said := _wrong(cell, how[cell], metrics, problems, did, model))
    }
    assert wrong == {}
    assert metrics.requests == model.requests + sum(did[f"{cell}|hand"] for cell in wanted)
    assert sum(problem.count for problem in problems) == sum(did[cell] for cell in wanted)


def _wrong(
    cell: str,
    how: object,
    metrics: RunMetrics,
    problems: list[Problem],
    did: Counter[str],
    model: OpenAiServer,
) -> list[str]:
    """Return what is not shown of a cell as it was."""
    _, outcome, spending = cell.split("-")
    asked, out = (did[f"{cell}|hand"], 2) if spending == "hand" else (model.models.count(cell), TOKENS_OUT)
    usage = {"requests": asked, "tokens_in": asked * WORDS, "tokens_out": asked * out}
    told = [
        *_differences("by model", usage, metrics.by_model, cell),
        *_differences("by UDF", usage, metrics.by_udf, f"matrix.flow.{cell}"),
    ]
    if asked == 0 or isinstance(how, str) != (outcome == "raises"):
        told.append(f"it went another way: {how}, {asked} requests")
    if spending == "hand":
        counted = sum(each.value for each in metrics.custom if each.attributes.get("cell") == cell)
        told += [] if counted == asked else [f"{counted} of {asked} increments"]
    mine = [problem for problem in problems if (problem.udf or "").endswith(f".{cell}")]
    if outcome == "returns":
        return told + [f"{problem.type} from nowhere" for problem in mine]
    if [problem.count for problem in mine] != [did[cell]] or did[cell] == 0:
        return [*told, f"{[problem.count for problem in mine]} of {did[cell]} exceptions"]
    last = mine[0].frames[-1]
    seen = (mine[0].type, mine[0].handled, last.file, last.function, last.line, last.code, last.user)
    line = SOURCE.splitlines().index(f"        {RAISING_LINE}") + 1
    expected = (
        "matrix.flow.BadRowError",
        HANDLED[outcome],
        "matrix/flow.py",
        "check",
        line,
        RAISING_LINE,
        True,
    )
    return told if seen == expected else [*told, f"{seen}"]


def _differences(what: str, usage: dict[str, int], lines: tuple[UsageLine, ...], name: str) -> list[str]:
    shown = dict.fromkeys(usage, 0.0)
    for line in lines:
        if line.name == name:
            shown = {each: shown[each] + (getattr(line, each) or 0) for each in usage}
    return [] if shown == usage else [f"{what} {shown}, and it was {usage}"]


RAY = """
import asyncio, os, ray, daftray

class TaskError(Exception):
    pass

def fail(what):
    raise TaskError(what)

@ray.remote
def task(n):
    if n % 2:
        fail(f"task {n}")
    return n

@ray.remote(num_returns="streaming")
def generating():
    yield 1
    fail("generating")

@ray.remote
class Actor:
    def __init__(self, ok):
        self.ok = ok or fail("init")
    def method(self):
        fail("method")
    def fine(self):
        return 1

@ray.remote
class AsyncActor:
    async def method(self):
        await asyncio.sleep(0)
        fail("async method")
    async def fine(self):
        return 2
    async def streaming(self):
        yield 1
        fail("async streaming")

def outcome(ref):
    try:
        return ray.get(ref)
    except Exception as error:
        return type(error).__name__

def main():
    ray.init()
    ok, later = Actor.remote(True), AsyncActor.remote()
    refs = [*(task.remote(n) for n in range(4)), ok.method.remote(), ok.fine.remote(),
            later.method.remote(), later.fine.remote(), Actor.remote(False).fine.remote()]
    answers = [outcome(ref) for ref in refs]
    for ref in later.streaming.options(num_returns="streaming").remote():
        outcome(ref)
    for ref in generating.remote():
        outcome(ref)
    return [answer if isinstance(answer, int) else "failed" for answer in answers]
"""


def test_what_leaves_rays_tasks_and_actors_is_counted(
    platform: Platform, client: Client, ended: Callable[[Run], Run]
) -> None:
    commit = platform.repo.commit({"matrix/tasks.py": RAY.encode()})

    run = ended(client.runs.create("matrix/tasks.py:main", hash=commit))

    assert run.status is RunStatus.SUCCEEDED
    assert client.runs.result(run) == [0, "failed", 2, "failed", "failed", 1, "failed", 2, "failed"]
    problems = client.runs.problems(run)
    told = {problem.frames[-2].function: problem.count for problem in problems}
    assert told == {
        "task": 2,
        "generating": 1,
        "Actor.__init__": 1,
        "Actor.method": 1,
        "AsyncActor.method": 1,
        "AsyncActor.streaming": 1,
    }
    assert {(problem.type, problem.frames[-1].file, problem.udf) for problem in problems} == {
        ("matrix.tasks.TaskError", "matrix/tasks.py", None)
    }


KILLED = """
import os, signal, time, ray, daftray

def note(line):
    file = os.open(os.environ["LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, (line + "\\n").encode())
    os.close(file)

@ray.remote(max_retries=0)
def count(name, early, late):
    for _ in range(early):
        daftray.increment("rows", who=name)
    try:
        raise ValueError(name)
    except ValueError:
        pass
    if late:
        time.sleep(3)
        for _ in range(late):
            daftray.increment("rows", who=name)
            note(name)
        os.kill(os.getpid(), signal.SIGKILL)

def main():
    ray.init()
    refs = [count.remote("killed", 100, 50), count.remote("well", 200, 0)]
    ray.get(refs[1])
    try:
        ray.get(refs[0])
    except ray.exceptions.WorkerCrashedError:
        return "crashed"
"""


def test_a_killed_worker_loses_what_it_counted_last_and_nothing_else(
    platform: Platform, client: Client, ended: Callable[[Run], Run], ledger: Path
) -> None:
    commit = platform.repo.commit({"matrix/killed.py": KILLED.encode()})
    environment = Environment(environment_variables={"LEDGER": str(ledger)})

    run = ended(client.runs.create("matrix/killed.py:main", hash=commit, environment=environment))

    assert (run.status, client.runs.result(run)) == (RunStatus.SUCCEEDED, "crashed")
    counted = {each.attributes["who"]: each.value for each in client.runs.metrics(run).custom}
    assert len(ledger.read_text().splitlines()) == 50
    assert counted["well"] == 200
    assert 100 <= counted["killed"] <= 150
