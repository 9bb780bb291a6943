"""Following metrics over a real server that breaks its stream."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from small_server import SmallServer, as_events, as_problem, small_server

from daftray import Client
from daftray.client import AnswerNotUnderstoodError, Retry, ServerUnreachableError
from daftray.domain.errors import RunNotFoundError
from daftray.domain.metrics import RunMetrics

TAIL = "GET /v1/workspaces/default/projects/p/runs/r/metrics/tail"
END = 'event: end\ndata: {"status": "succeeded"}\n\n'


def changes(*requests: int) -> str:
    each = [msgspec.json.encode(RunMetrics(requests=one)).decode() for one in requests]
    return ": still here\n\n" + "".join(f"event: metrics\ndata: {one}\n\n" for one in each)


@pytest.fixture
def server() -> Iterator[SmallServer]:
    with small_server() as found:
        yield found


def follow(server: SmallServer) -> list[float | None]:
    retry = Retry(attempts=1, patience=3, base_s=0)
    with Client(server.url, "key", project="p", retry=retry) as client:
        return [metrics.requests for metrics in client.runs.follow_metrics("r")]


def test_every_change_comes_to_the_end(server: SmallServer) -> None:
    server.on(TAIL, as_events(changes(1, 2) + END))
    assert follow(server) == [1, 2]


def test_a_stream_that_was_cut_off_is_opened_again(server: SmallServer) -> None:
    answers = iter([changes(1), changes(2, 3) + END])
    server.on(TAIL, lambda _: as_events(next(answers)))
    assert follow(server) == [1, 2, 3]


def test_patience_ends(server: SmallServer) -> None:
    server.on(TAIL, as_events(""))
    with pytest.raises(ServerUnreachableError):
        follow(server)
    assert len(server.asked) == 3


def test_a_refusal_is_final(server: SmallServer) -> None:
    server.on(TAIL, as_problem("run-not-found", 404))
    with pytest.raises(RunNotFoundError):
        follow(server)


def test_what_is_no_metrics_is_said_so(server: SmallServer) -> None:
    server.on(TAIL, as_events("event: metrics\ndata: 3\n\n"))
    with pytest.raises(AnswerNotUnderstoodError):
        follow(server)
