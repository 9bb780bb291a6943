"""Failpoints, without the death: what a spec says, which points a call passes, what is noted of it."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daftray.domain.errors import ClusterUnreachableError, InvalidInputError, StoreUnavailableError
from daftray.domain.ports import BlobStore, RunStore
from daftray.server import failpoints
from daftray.server.failpoints import Failpoints, points_of


class Store:
    name = "a store"

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def save(self, what: str, *, often: int = 1) -> str:
        self.calls.append(what * often)
        return f"saved {what}"

    async def fail(self) -> None:
        raise StoreUnavailableError

    async def stream(self) -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    def check(self) -> bool:
        return True


@pytest.fixture
def deaths(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let the process survive its SIGKILLs, and count them."""
    killed: list[int] = []
    monkeypatch.setattr(failpoints.os, "kill", lambda _pid, number: killed.append(number))
    return killed


def test_without_a_spec_nothing_is_wrapped() -> None:
    store = Store()
    assert Failpoints(None).around("store", store) is store
    assert Failpoints("").around("store", store) is store


async def test_calls_go_through_and_pass_a_point_before_and_after(tmp_path: Path) -> None:
    store, passed = Store(), tmp_path / "passed"
    edges = Failpoints(f"passed={passed}").around("store", store)

    assert await edges.save("it", often=2) == "saved it"
    assert [piece async for piece in edges.stream()] == [b"a", b"b"]
    with pytest.raises(StoreUnavailableError):
        await edges.fail()
    assert edges.check()
    assert (edges.name, store.calls) == ("a store", ["itit"])
    assert passed.read_text().splitlines() == [
        f"store.{call}:{side} 1" for call in ("save", "stream", "fail") for side in ("before", "after")
    ]


async def test_a_point_kills_at_its_nth_passing(tmp_path: Path, deaths: list[int]) -> None:
    passed = tmp_path / "passed"
    edges = Failpoints(f"store.save:after=2;passed={passed}").around("store", Store())

    await edges.save("one")
    assert deaths == []
    await edges.save("two")
    assert deaths == [signal.SIGKILL]
    await edges.save("three")
    assert deaths == [signal.SIGKILL]
    assert "store.save:after 2 kill" in passed.read_text().splitlines()


async def test_an_error_before_a_call_prevents_it_and_one_after_it_loses_its_answer() -> None:
    store = Store()
    edges = Failpoints("store.save:before=1,error;store.save:after=2,error").around("store", store)

    with pytest.raises(StoreUnavailableError):
        await edges.save("never")
    assert await edges.save("once") == "saved once"
    with pytest.raises(StoreUnavailableError):
        await edges.save("unanswered")
    assert store.calls == ["once", "unanswered"]


async def test_an_error_is_of_the_ports_kind_and_may_come_each_time() -> None:
    edges = Failpoints("rayjobs.save:before=*,error").around("rayjobs", Store())

    for _ in range(2):
        with pytest.raises(ClusterUnreachableError):
            await edges.save("it")


async def test_a_delay_only_delays() -> None:
    edges = Failpoints("store.save:before=1,delay,0").around("store", Store())

    assert await edges.save("it") == "saved it"


async def test_a_rate_hits_the_same_passings_for_the_same_seed_and_rarer_ones_less(
    tmp_path: Path, deaths: list[int]
) -> None:
    kills: list[list[str]] = []
    for number, seed in enumerate(("7", "7", "8")):
        passed = tmp_path / str(number)
        edges = Failpoints(f"seed={seed};rate=1;passed={passed}").around("store", Store())
        for _ in range(50):
            await edges.save("it")
        kills.append([line for line in passed.read_text().splitlines() if line.endswith(" kill")])

    assert kills[0] == kills[1] != kills[2]
    assert kills[0][:2] == ["store.save:before 1 kill", "store.save:after 1 kill"]
    assert 2 < len(kills[0]) < 25
    assert len(deaths) == sum(map(len, kills))


@pytest.mark.parametrize(
    "spec", ["rate=much", "a.b:after", "a.b:after=1,burn", "a.b:after=1,delay", "x=1,kill,2"]
)
def test_a_spec_that_cannot_be_read_is_named(spec: str) -> None:
    with pytest.raises(InvalidInputError, match=spec.split("=", maxsplit=1)[0]):
        Failpoints(spec)


def test_the_points_of_a_port_are_its_asynchronous_calls() -> None:
    assert {"runs.save:before", "runs.save:after", "runs.claim_due:after"} <= set(points_of("runs", RunStore))
    assert "blobs.put:before" in points_of("blobs", BlobStore)
