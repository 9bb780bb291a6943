from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sign_in import SignIn

from daftray.domain.device import (
    INTERVAL_S,
    LIFETIME,
    SLOWER_BY_S,
    SLOWEST_S,
    Device,
    PollOutcome,
    decided,
    polled,
)
from daftray.domain.errors import ConflictError, DeviceNotFoundError, InvalidInputError
from daftray.domain.principal import Role
from daftray.domain.session import Tokens
from daftray.identity.devices import ALPHABET, Devices

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


class DeviceFlow(RuleBasedStateMachine):
    """Any order of polls, decisions and passing time, held to what RFC 8628 says."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.device = Device(
            id="dev_1", digest="d", code_digest="c", created_at=START, expires_at=START + LIFETIME
        )
        self.tokens_given = 0
        self.word: bool | None = None

    @rule(seconds=st.integers(0, 400))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(approve=st.booleans())
    def somebody_decides(self, approve: bool) -> None:
        before = self.device
        self.device = decided(before, self.now, approve=approve, holder="usr_1", workspace="w")
        if self.word is not None or self.now >= before.expires_at:
            assert self.device == before, "the first word in time holds"
        else:
            self.word = approve

    @rule()
    def the_program_asks(self) -> None:
        before = self.device
        since = None if before.polled_at is None else self.now - before.polled_at
        self.device, told = polled(before, self.now)
        if self.tokens_given:
            assert told is PollOutcome.USED
        elif self.now >= before.expires_at:
            assert told is PollOutcome.EXPIRED
        elif self.word is not None:
            assert told is (PollOutcome.APPROVED if self.word else PollOutcome.DENIED)
        elif since is not None and since < timedelta(seconds=before.interval_s):
            assert told is PollOutcome.SLOW_DOWN
            assert self.device.interval_s == min(before.interval_s + SLOWER_BY_S, SLOWEST_S)
        else:
            assert told is PollOutcome.PENDING
            assert self.device.interval_s == before.interval_s
        self.tokens_given += told is PollOutcome.APPROVED

    @precondition(lambda self: self.word is None and self.now < self.device.expires_at)
    @rule()
    def a_patient_program_is_never_told_to_slow_down(self) -> None:
        self.now += timedelta(seconds=self.device.interval_s)
        told = polled(self.device, self.now)[1]
        assert told in {PollOutcome.PENDING, PollOutcome.EXPIRED}

    @invariant()
    def tokens_are_given_once_and_by_approval_alone(self) -> None:
        assert self.tokens_given <= 1
        assert not self.tokens_given or self.word is True
        assert self.device.interval_s >= INTERVAL_S


TestDeviceFlow = DeviceFlow.TestCase


async def a_world(*workspaces: str) -> SignIn:
    world = SignIn()
    for name in workspaces:
        await world.workspace(name)
    return world


async def test_codes_are_easy_to_type_and_kept_by_digest() -> None:
    world = await a_world()
    asked = await world.devices.authorize()
    left, right = asked.user_code.split("-")
    assert set(left + right) <= set(ALPHABET)
    assert (len(left), len(right)) == (4, 4)
    device = await world.devices.waiting(asked.user_code)
    assert asked.device_code not in repr(device)
    assert left + right not in repr(device)
    for typed in (asked.user_code.lower(), f" {left} {right} ", left + right):
        assert await world.devices.waiting(typed) == device
    for other in ("", left, f"{asked.user_code}B", asked.device_code):
        with pytest.raises(DeviceNotFoundError):
            await world.devices.waiting(other)


async def test_a_code_that_is_taken_is_not_given_twice() -> None:
    world = await a_world()
    letters = iter("B" * 8 + "B" * 8 + "C" * 8 + "B" * 80)
    devices = Devices(
        store=world.device_store,
        families=world.families,
        workspaces=world.stores.workspaces,
        ids=world.ids,
        clock=world.clock,
        choose=lambda _: next(letters),
    )
    assert [(await devices.authorize()).user_code for _ in range(2)] == ["BBBB-BBBB", "CCCC-CCCC"]
    with pytest.raises(ConflictError):
        await devices.authorize()


async def test_who_approves_is_who_the_program_acts_as() -> None:
    world = await a_world("a", "b")
    ada = await world.ada(("wsp_b", Role.RUNNER))
    asked = await world.devices.authorize()
    caller = await world.users.principal(ada.id)
    place = await world.devices.decide(asked.user_code, caller, approve=True, workspace=None)
    assert place
    assert place.name == "b"
    tokens = await world.devices.poll(asked.device_code)
    assert isinstance(tokens, Tokens)
    assert tokens.workspace_id == "wsp_b"
    assert (await world.access.authenticate(tokens.access_token)).id == ada.id
    assert await world.devices.poll(asked.device_code) is PollOutcome.USED


async def test_two_polls_at_once_get_one_answer_with_tokens() -> None:
    world = await a_world("a")
    ada = await world.ada(("wsp_a", Role.RUNNER))
    asked = await world.devices.authorize()
    caller = await world.users.principal(ada.id)
    await world.devices.decide(asked.user_code, caller, approve=True, workspace="a")
    answers = await asyncio.gather(*(world.devices.poll(asked.device_code) for _ in range(3)))
    assert sum(isinstance(answer, Tokens) for answer in answers) == 1


async def test_an_operators_first_workspace_is_one_they_are_in() -> None:
    world = await a_world("a", "b")
    root = await world.users.principal((await world.ada(("wsp_b", Role.VIEWER), operator=True)).id)
    asked = await world.devices.authorize()
    place = await world.devices.decide(asked.user_code, root, approve=True, workspace=None)
    assert place
    assert place.name == "b"
    assert [one.name for one in await world.devices.workspaces_of(root)] == ["a", "b", "default"]


async def test_who_is_in_no_workspace_can_deny_but_not_approve() -> None:
    world = await a_world("a")
    ada = await world.users.principal((await world.ada()).id)
    asked = await world.devices.authorize()
    with pytest.raises(InvalidInputError):
        await world.devices.decide(asked.user_code, ada, approve=True, workspace=None)
    await world.devices.decide(asked.user_code, ada, approve=False, workspace=None)
    assert await world.devices.poll(asked.device_code) is PollOutcome.DENIED


async def test_codes_expire() -> None:
    world = await a_world("a")
    ada = await world.users.principal((await world.ada(("wsp_a", Role.ADMIN))).id)
    asked = await world.devices.authorize()
    world.clock.move(LIFETIME.total_seconds())
    assert await world.devices.poll(asked.device_code) is PollOutcome.EXPIRED
    with pytest.raises(DeviceNotFoundError):
        await world.devices.decide(asked.user_code, ada, approve=True, workspace=None)
    await world.devices.authorize()  # clears what is over
    assert await world.devices.poll(asked.device_code) is PollOutcome.USED
