from __future__ import annotations

import pytest
from factories import a_run, new
from fakes import InMemoryRunStore

from daftray.domain.errors import UnauthenticatedError
from daftray.domain.status import RunStatus
from daftray.identity.run_tokens import RunTokens


async def tokens(**run: object) -> RunTokens:
    store = InMemoryRunStore()
    await store.add(new(a_run(id="run_1", **run)))
    await store.add(new(a_run(id="run_2")))
    return RunTokens(keys=[("k", b"k" * 32)], runs=store)


async def test_a_token_names_its_run_and_attempt() -> None:
    issuer = await tokens()
    reporter = await issuer.authenticate(issuer.issue("run_1", 1))
    assert (reporter.run, reporter.attempt) == ("run_1", 1)


async def test_a_token_cannot_be_turned_into_another_runs() -> None:
    issuer = await tokens()
    with pytest.raises(UnauthenticatedError):
        await issuer.authenticate(issuer.issue("run_1", 1).replace("run_1", "run_2"))


@pytest.mark.parametrize("status", [status for status in RunStatus if status.terminal])
async def test_a_token_dies_with_its_run(status: RunStatus) -> None:
    issuer = await tokens(status=status)
    with pytest.raises(UnauthenticatedError):
        await issuer.authenticate(issuer.issue("run_1", 1))


async def test_a_token_dies_with_its_attempt() -> None:
    issuer = await tokens(attempt=2)
    with pytest.raises(UnauthenticatedError):
        await issuer.authenticate(issuer.issue("run_1", 1))


@pytest.mark.parametrize(
    "text", ["", "drt", "drt.run_1.1", "drt.run_1.x.y", "drt.run_9.1.00", "drt.run_1.1.é"]
)
async def test_what_is_no_token_opens_nothing(text: str) -> None:
    with pytest.raises(UnauthenticatedError):
        await (await tokens()).authenticate(text)


async def test_a_token_outlives_a_rotation_of_keys_but_not_the_key_that_signed_it() -> None:
    store = InMemoryRunStore()
    await store.add(new(a_run(id="run_1")))
    old, fresh = ("old", b"o" * 32), ("new", b"n" * 32)
    before, both, after = (RunTokens(keys=keys, runs=store) for keys in ([old], [fresh, old], [fresh]))
    token = before.issue("run_1", 1)
    assert (await both.authenticate(token)).run == "run_1"
    assert both.issue("run_1", 1) == after.issue("run_1", 1) != token
    assert both.valid("run_1", 1) == [after.issue("run_1", 1), token], "a log may hold either"
    with pytest.raises(UnauthenticatedError):
        await after.authenticate(token)
