"""Two Daft queries at once on one cluster, again and again: Daft's Ray runner shares its actors by name."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from chaos.ray_view import RayView
from git_repos import make_repo

from daftray.client import Client
from daftray.domain.status import RunStatus
from daftray.server.child import child_server

pytestmark = [pytest.mark.ray, pytest.mark.long, pytest.mark.timeout(300)]

ROUNDS = 10
ROWS = 2_000
PROGRAM = f"""\
import daft


@daft.func(return_dtype=daft.DataType.int64())
def squared(value: int) -> int:
    import daftray

    daftray.increment("rows")
    return value * value


def total(offset: int) -> int:
    frame = daft.from_pydict({{"value": [offset + each for each in range({ROWS})]}})
    frame = frame.repartition(2).select(squared(daft.col("value")).alias("square"))
    return frame.sum("square").to_pydict()["square"][0]
"""


@pytest.fixture(scope="module")
def client(ray_view: RayView, tmp_path_factory: pytest.TempPathFactory) -> Generator[Client]:
    root: Path = tmp_path_factory.mktemp("two")
    repo = make_repo(root / "repo", {"query.py": PROGRAM})
    options = ["--allow-local-remotes", "--max-running", "2", "--ray", ray_view.url]
    variables = {"DAFTRAY_RAY_TOKEN": ray_view.token}
    with (
        child_server(root / "data", options=options, variables=variables) as server,
        Client(server.url, server.api_key) as everything,
    ):
        everything.projects.create("daft", repo.url)
        yield everything.in_project("daft")


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_two_daft_runs_at_once_each_have_their_own_answer(round_: int, client: Client) -> None:
    offsets = [round_, 1_000_000 + round_]
    runs = [client.runs.create("query.py:total", args=[offset], runner="ray") for offset in offsets]
    for offset, run in zip(offsets, runs, strict=True):
        last = client.runs.wait(run, timeout_s=200)
        assert last.status is RunStatus.SUCCEEDED, client.runs.logs(last).decode(errors="replace")[-3000:]
        assert client.runs.result(last) == sum((offset + each) ** 2 for each in range(ROWS))
        (rows,) = client.runs.metrics(last).custom
        assert rows.value == ROWS
