"""Calls of the real ``anthropic`` client against a real server: what is reported is what the server served.

Each call names a model of its own, so that one process (the client's import takes seconds) can make many.
"""

from __future__ import annotations

import inspect
from collections.abc import Generator

import pytest
from anthropic import _base_client as client
from anthropic import _response as responses
from anthropic_server import anthropic_server
from model_server import TOKENS_OUT, ModelServer
from model_usage import assert_as_served, counted, described
from runner_process import Runs, file

CLIENT = """
import asyncio
import anthropic
client = anthropic.Anthropic(max_retries=2)
aclient = anthropic.AsyncAnthropic(max_retries=2)
ASK = {"max_tokens": 100, "messages": [{"role": "user", "content": "one two three"}]}
"""
WORDS = 3


@pytest.fixture
def server() -> Generator[ModelServer]:
    with anthropic_server() as served:
        yield served


def run(runs: Runs, server: ModelServer, body: str) -> str:
    """Run a script that uses the clients; return what it printed."""
    runs.write({"main.py": CLIENT + body})
    done = runs.run(file("main.py"), timeout_s=150, ANTHROPIC_BASE_URL=server.url, ANTHROPIC_API_KEY="none")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_kind_of_call_counts_once(runs: Runs, server: ModelServer) -> None:
    body = """
messages = client.messages
messages.create(model='whole', **ASK)
messages.create(model='cached', system='four more to read', **ASK)
messages.with_raw_response.create(model='raw', **ASK).parse()
messages.with_raw_response.create(model='unparsed', **ASK)
with messages.with_streaming_response.create(model='late', **ASK) as answer:
    answer.text()
client.beta.messages.create(model='beta', **ASK)
list(messages.create(model='stream', stream=True, **ASK))
with messages.stream(model='managed', **ASK) as stream:
    stream.get_final_message()
next(iter(messages.create(model='left', stream=True, **ASK)))
client.messages.count_tokens(model='counting', messages=ASK["messages"])
async def main():
    await asyncio.gather(*[aclient.messages.create(model='async', **ASK) for _ in range(5)])
    async for _ in await aclient.messages.create(model='async stream', stream=True, **ASK):
        pass
    async with aclient.messages.with_streaming_response.create(model='async late', **ASK) as answer:
        await answer.json()
asyncio.run(main())
"""
    run(runs, server, body)

    control = runs.control
    once = (1, WORDS, TOKENS_OUT)
    models = ("whole", "raw", "unparsed", "late", "beta", "stream", "managed", "async stream", "async late")
    assert {model: counted(control, model) for model in models} == dict.fromkeys(models, once)
    assert counted(control, "cached") == (1, WORDS + 4, TOKENS_OUT)
    assert counted(control, "async") == (5, 5 * WORDS, 5 * TOKENS_OUT)
    assert counted(control, "left") == (1, WORDS, 1)
    server.told(0, 1 - TOKENS_OUT)  # of the stream that was left, only the begin was read
    assert_as_served(control, server)
    assert described(control, "gen_ai.provider.name") == {"anthropic"}
    assert described(control, "gen_ai.operation.name") == {"chat"}


def test_failures_and_retries_are_requests_that_failed(runs: Runs, server: ModelServer) -> None:
    server.failures = [500, 429, 200, 500, 500, 500, 400, 529]
    body = """
def call(): return client.messages.create(model='m', **ASK)
async def acall(): return await aclient.messages.create(model='m', **ASK)
call()  # 500, 429, then an answer
try:
    call()  # 500 three times
except anthropic.InternalServerError:
    print("failed")
async def main():
    try:
        await acall()  # 400, which is not tried again
    except anthropic.BadRequestError:
        print("refused")
    await acall()  # 529, then an answer
asyncio.run(main())
try:
    anthropic.Anthropic(base_url="http://127.0.0.1:9", max_retries=1).messages.create(model='away', **ASK)
except anthropic.APIConnectionError:
    print("away")
"""
    printed = run(runs, server, body)

    assert printed.split() == ["failed", "refused", "away"]
    assert (server.requests, server.failed) == (9, 7)
    assert counted(runs.control, "away") == (2, 0, 0)
    server.requests, server.failed = 11, 9
    assert_as_served(runs.control, server)


def test_a_middleware_that_asks_twice_or_not_at_all_is_counted_as_it_asks(
    runs: Runs, server: ModelServer
) -> None:
    body = """
def twice(request, call_next):
    call_next(request)
    return call_next(request)
def never(request, call_next):
    return kept
kept = client.messages.create(model='kept', **ASK)
client.with_options(middleware=[twice]).messages.create(model='twice', **ASK)
client.with_options(middleware=[never]).messages.create(model='never', **ASK)
"""
    run(runs, server, body)

    assert counted(runs.control, "never") == (0, 0, 0)
    assert counted(runs.control, "twice") == (2, 2 * WORDS, 2 * TOKENS_OUT)
    assert server.requests == 3
    assert_as_served(runs.control, server)


def test_the_hook_points_are_where_they_were() -> None:
    """Fails when a new version moves what the hook holds on to."""
    for kind in (client.SyncAPIClient, client.AsyncAPIClient):
        assert list(inspect.signature(kind.request).parameters)[1:3] == ["cast_to", "options"]
        assert {"response", "cast_to", "stream"} <= set(inspect.signature(kind._process_response).parameters)
        assert callable(kind._attempt_request)
    for answer in (responses.APIResponse, responses.AsyncAPIResponse):
        assert list(inspect.signature(answer.read).parameters) == ["self"]
        assert getattr(client, answer.__name__) is answer
    assert {"data", "response"} <= set(inspect.signature(client.BaseClient._process_response_data).parameters)
