"""The SDK against the real interface, over a network that loses answers: nothing is doubled."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from api_over_http import api_over_http
from api_server import ApiServer

from daftray import AsyncClient
from daftray.client import Retry, ServerUnreachableError, run_request
from daftray.domain.errors import IdempotencyConflictError, InvalidInputError


class LosesAnswers(httpx.AsyncBaseTransport):
    """Brings every request to the server, and loses as many of the answers to POSTs as it is told."""

    def __init__(self) -> None:
        self.inside = httpx.AsyncHTTPTransport()
        self.left = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inside.handle_async_request(request)
        if request.method == "POST" and self.left:
            self.left -= 1
            await answer.aread()
            raise httpx.ReadTimeout("lost", request=request)
        return answer

    async def aclose(self) -> None:
        await self.inside.aclose()


@dataclass(frozen=True)
class Remote:
    """A client, the network that it speaks over, and the server at its end."""

    client: AsyncClient
    network: LosesAnswers
    api: ApiServer

    async def ids(self) -> list[str]:
        return [run.id async for run in self.client.runs.iterate()][::-1]


@pytest.fixture
async def remote(tmp_path: Path) -> AsyncGenerator[Remote]:
    network, retry = LosesAnswers(), Retry(attempts=3, base_s=0)
    async with (
        api_over_http(tmp_path) as api,
        AsyncClient(
            str(api.http.base_url), api.keys["admin"], project="demo", retry=retry, transport=network
        ) as client,
    ):
        yield Remote(client, network, api)


async def test_a_create_whose_answer_is_lost_makes_one_run(remote: Remote) -> None:
    remote.network.left = 2
    run = await remote.client.runs.create("main.py", retries=1, timeout_s=60)
    assert await remote.ids() == [run.id]
    assert remote.network.left == 0


async def test_a_rerun_whose_answer_is_lost_makes_one_run(remote: Remote) -> None:
    run = await remote.client.runs.create("main.py")
    remote.network.left = 2
    again = await remote.client.runs.rerun(run, name="again")
    assert await remote.ids() == [run.id, again.id]


async def test_many_whose_answer_is_lost_are_made_once(remote: Remote) -> None:
    remote.network.left = 2
    requests = [run_request("main.py", labels={"n": str(n)}) for n in range(100)]
    ids = await remote.client.runs.create_many(requests)
    assert await remote.ids() == ids
    assert [(await remote.client.runs.get(ids[n])).labels for n in (0, 99)] == [{"n": "0"}, {"n": "99"}]


async def test_a_caller_with_a_key_can_ask_again_after_it_gave_up(remote: Remote) -> None:
    remote.network.left = 3
    with pytest.raises(ServerUnreachableError):
        await remote.client.runs.create("main.py", idempotency_key="nightly")
    run = await remote.client.runs.create("main.py", idempotency_key="nightly")
    assert await remote.ids() == [run.id]
    with pytest.raises(IdempotencyConflictError):
        await remote.client.runs.create("other.py", idempotency_key="nightly")


async def test_what_is_wrong_with_many_is_told_at_each_place(remote: Remote) -> None:
    requests = [run_request("main.py"), run_request("main.py", priority=101), {"entrypoint": {}, "gpus": 1}]
    with pytest.raises(InvalidInputError) as told:
        await remote.client.runs.create_many(requests)
    assert [issue.path for issue in told.value.issues] == ["runs[1].priority"]
    with pytest.raises(InvalidInputError) as told:
        await remote.client.runs.create_many([*requests[:1], {"entrypoint": {}}])
    assert [issue.path for issue in told.value.issues] == ["runs[1].entrypoint"]
    assert await remote.ids() == []


async def test_a_projects_bound_is_set_and_taken_away(remote: Remote) -> None:
    projects, source = remote.client.projects, remote.api.repo.url
    assert (await projects.create("small", source, max_running=2)).max_running == 2
    assert (await projects.update("small", max_running=5)).max_running == 5
    assert (await projects.update("small", name="tiny")).max_running == 5
    assert (await projects.update("tiny", max_running=None)).max_running is None
