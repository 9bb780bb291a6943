"""Following a log over a real server that ends, breaks and repeats its stream at every place it can."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from factories import a_run
from hypothesis import given, settings
from hypothesis import strategies as st
from small_server import Answer, Asked, SmallServer, as_events, as_json, as_problem, small_server

from daftray import AsyncClient, Client
from daftray.client import AnswerNotUnderstoodError, LogLine, Retry, ServerUnreachableError
from daftray.domain.errors import ForbiddenError, RunNotFoundError
from daftray.domain.run import Run
from daftray.domain.status import RunStatus

PATH = "/v1/workspaces/default/projects/p/runs/r"
TAIL = f"GET {PATH}/logs/tail"
STAMP = "2030-01-31T10:30:01.123456Z"
LINES = ["first", "", "zwölf ☃", 'a "quoted" one', "data: not an event", "last"]
END = 'event: end\ndata: {"status": "succeeded"}\n\n'


def event_of(line: str, offset: int, kind: str = "event: log\n") -> str:
    data = json.dumps({"timestamp": STAMP, "message": line}, ensure_ascii=False)
    return f": still here\n\n{kind}id: {offset}\ndata: {data}\n\n"


def offsets() -> Iterator[tuple[str, int]]:
    offset = 0
    for line in LINES:
        offset += len(line.encode()) + 1
        yield line, offset


def stream_from(offset: int, kind: str = "event: log\n") -> str:
    """Return what the server has to say from an offset on, to the run's end."""
    return "".join(event_of(line, after, kind) for line, after in offsets() if after > offset) + END


@pytest.fixture(scope="module")
def module_server() -> Iterator[SmallServer]:
    with small_server() as server:
        yield server


@pytest.fixture
def server(module_server: SmallServer) -> SmallServer:
    module_server.routes.clear()
    module_server.asked.clear()
    module_server.on(f"GET {PATH}", as_json(a_run(status=RunStatus.RUNNING)))
    return module_server


def follow(
    server: SmallServer, *, patience: int = 3, from_: int = 0, attempt: int | None = None
) -> list[LogLine]:
    retry = Retry(attempts=1, patience=patience, base_s=0)
    with Client(server.url, "key", project="p", retry=retry) as client:
        return list(client.runs.follow("r", from_=from_, attempt=attempt))


def cut(pieces: list[Callable[[str], Answer]]) -> Callable[[Asked], Answer]:
    """Answer each call by what its piece makes of the whole stream from there; later calls get all of it."""
    left = [*pieces]

    def answer(asked: Asked) -> Answer:
        whole = stream_from(int(asked.query["from"]))
        return left.pop(0)(whole) if left else as_events(whole)

    return answer


@pytest.mark.parametrize("kind", ["event: log\n", "event: message\n", ""])
def test_every_line_comes_once_to_the_end(server: SmallServer, kind: str) -> None:
    server.on(TAIL, as_events(stream_from(0, kind)))

    lines = follow(server)

    assert [(line.message, line.offset) for line in lines] == list(offsets())
    assert lines[0].timestamp.isoformat() == "2030-01-31T10:30:01.123456+00:00"
    (asked,) = server.requests(TAIL)
    assert asked.headers["accept"] == "text/event-stream"
    assert asked.query == {"from": "0", "attempt": "1"}


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.tuples(st.integers(0, len(stream_from(0))), st.booleans()), min_size=1, max_size=5))
def test_a_stream_cut_anywhere_leaves_no_gap_and_no_repeat(
    module_server: SmallServer, cuts: list[tuple[int, bool]]
) -> None:
    module_server.routes.clear()
    module_server.on(f"GET {PATH}", as_json(a_run(status=RunStatus.RUNNING)))

    def cut_at(place: int, broken: bool) -> Callable[[str], Answer]:
        return lambda whole: as_events(whole[: min(place, len(whole) - 1)], broken=broken)

    module_server.on(TAIL, cut([cut_at(place, broken) for place, broken in cuts]))

    assert [(line.message, line.offset) for line in follow(module_server)] == list(offsets())


def test_a_server_that_repeats_lines_is_not_repeated(server: SmallServer) -> None:
    answers = [as_events(stream_from(0)[:300]), as_events(stream_from(0))]
    server.on(TAIL, lambda _: answers.pop(0))

    assert [line.message for line in follow(server)] == LINES


def test_following_can_start_anywhere(server: SmallServer) -> None:
    server.on(TAIL, cut([]))
    after_the_first = next(offsets())[1]

    assert [line.message for line in follow(server, from_=after_the_first)] == LINES[1:]


def test_a_closed_stream_is_not_the_end(server: SmallServer) -> None:
    """Not even of a run that has ended: the server owes the rest of its log, and the end."""
    server.on(f"GET {PATH}", as_json(a_run(status=RunStatus.SUCCEEDED)))
    server.on(TAIL, as_events(event_of("first", 6)))

    with pytest.raises(ServerUnreachableError, match="after 6 bytes"):
        follow(server, patience=4)
    assert len(server.requests(TAIL)) == 4


def test_a_quiet_run_is_followed_through_any_number_of_cuts(server: SmallServer) -> None:
    server.on(TAIL, cut([lambda _: as_events(": still here\n\n")] * 20))

    assert [line.message for line in follow(server, patience=5)] == LINES


def test_a_server_that_is_away_for_a_while_is_waited_for(server: SmallServer) -> None:
    away = as_problem("store-unavailable", 503)
    answers = [as_events(stream_from(0)[:300]), *[away] * 5]
    server.on(
        TAIL, lambda asked: answers.pop(0) if answers else as_events(stream_from(int(asked.query["from"])))
    )

    assert [line.message for line in follow(server, patience=2)] == LINES


def test_a_server_that_stays_away_is_not_waited_for_for_ever(server: SmallServer) -> None:
    server.on(f"GET {PATH}", as_problem("x", 503))
    server.on(TAIL, as_problem("x", 503))

    with pytest.raises(ServerUnreachableError):
        follow(server, patience=5, attempt=1)
    assert len(server.requests(TAIL)) == 5
    with pytest.raises(ServerUnreachableError):
        follow(server, patience=5)
    assert len(server.requests(TAIL)) == 5, "it is not known yet which attempt is meant"


def test_a_log_that_is_not_there_yet_is_waited_for(server: SmallServer) -> None:
    answers = [as_problem("log-not-found", 404)] * 5
    server.on(TAIL, lambda _: answers.pop(0) if answers else as_events(stream_from(0)))

    assert [line.message for line in follow(server, patience=2)] == LINES


def test_a_run_that_ended_without_a_log_has_no_lines(server: SmallServer) -> None:
    server.on(f"GET {PATH}", as_json(a_run(status=RunStatus.CANCELLED)))
    server.on(TAIL, as_problem("log-not-found", 404))

    assert follow(server) == []


@pytest.mark.parametrize(
    ("code", "status", "kind"), [("forbidden", 403, ForbiddenError), ("run-not-found", 404, RunNotFoundError)]
)
def test_what_will_not_pass_ends_it_at_once(
    server: SmallServer, code: str, status: int, kind: type[Exception]
) -> None:
    server.on(TAIL, as_problem(code, status))

    with pytest.raises(kind):
        follow(server)
    assert len(server.requests(TAIL)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"{}"),
        as_events("event: log\nid: 5\ndata: nonsense\n\n"),
        as_events(event_of("x", 5).replace("id: 5", "id: five")),
    ],
)
def test_a_stream_of_something_else_is_told(server: SmallServer, answer: Answer) -> None:
    server.on(TAIL, answer)

    with pytest.raises(AnswerNotUnderstoodError):
        follow(server)


def test_events_of_other_kinds_are_passed_over(server: SmallServer) -> None:
    server.on(TAIL, as_events("event: phase\nid: 3\ndata: {}\n\n" + stream_from(0)))

    assert [line.message for line in follow(server)] == LINES


class TriedAgain:
    """A run whose attempts fail but for the last one; each has a log of its own, which begins at 0."""

    def __init__(self, server: SmallServer, attempts: int, ends: str = "succeeded") -> None:
        self.attempts, self.ends, self.now = attempts, ends, 1
        server.on(f"GET {PATH}", lambda _: as_json(self.run()))
        server.on(TAIL, self.tail)

    def run(self) -> Run:
        return a_run(status=RunStatus.RUNNING, attempt=self.now)

    def tail(self, asked: Asked) -> Answer:
        number = int(asked.query["attempt"])
        last = number == self.attempts
        line = f"of attempt {number}"
        end = f'event: end\ndata: {{"status": "{self.ends if last else "failed"}"}}\n\n'
        self.now = max(self.now, number if last else number + 1)
        seen = int(asked.query["from"]) >= len(line) + 1
        return as_events(("" if seen else event_of(line, len(line) + 1)) + end)


def test_the_next_attempts_log_follows_from_its_first_line(server: SmallServer) -> None:
    TriedAgain(server, attempts=3)

    assert [(line.attempt, line.message) for line in follow(server)] == [
        (number, f"of attempt {number}") for number in (1, 2, 3)
    ]
    assert [asked.query["attempt"] for asked in server.requests(TAIL)] == ["1", "2", "3"]


def test_a_run_that_fails_for_good_ends_the_following(server: SmallServer) -> None:
    TriedAgain(server, attempts=2, ends="failed")

    assert [line.attempt for line in follow(server)] == [1, 2]


def test_following_goes_on_in_the_attempt_of_the_last_line(server: SmallServer) -> None:
    TriedAgain(server, attempts=3)
    seen = follow(server)[1]

    assert [line.attempt for line in follow(server, from_=seen.offset, attempt=seen.attempt)] == [3]
    assert [line.attempt for line in follow(server)] == [3], "the current one, where none is named"


def test_a_server_that_is_away_at_the_end_of_an_attempt_is_asked_again(server: SmallServer) -> None:
    again = TriedAgain(server, attempts=2)
    answers: list[Answer] = [as_json(again.run()), *[as_problem("store-unavailable", 503)] * 2]
    server.on(f"GET {PATH}", lambda _: answers.pop(0) if answers else as_json(again.run()))

    assert [line.attempt for line in follow(server)] == [1, 2]


def test_an_end_that_says_nothing_is_told(server: SmallServer) -> None:
    server.on(TAIL, as_events("event: end\ndata: over\n\n"))

    with pytest.raises(AnswerNotUnderstoodError):
        follow(server)


async def test_the_client_that_awaits_resumes_too(server: SmallServer) -> None:
    server.on(TAIL, cut([lambda whole: as_events(whole[:200], broken=True)] * 3))
    retry = Retry(attempts=1, patience=3, base_s=0)

    async with AsyncClient(server.url, "key", project="p", retry=retry) as client:
        lines: AsyncIterator[LogLine] = client.runs.follow("r")
        assert [line.message async for line in lines] == LINES


async def test_following_can_be_left_in_the_middle(server: SmallServer) -> None:
    server.on(TAIL, as_events(stream_from(0)))

    async with AsyncClient(server.url, "key", project="p") as client:
        async for line in client.runs.follow("r"):
            assert line.message == "first"
            break
    with Client(server.url, "key", project="p") as client:
        assert next(iter(client.runs.follow("r"))).message == "first"
