"""Calls of the real ``google-genai`` client against a real server: reported is what the server served.

Each call names a model of its own, so that one process (the client's import takes seconds) can make many.
"""

from __future__ import annotations

import inspect
from collections.abc import Generator

import pytest
from google.genai import _api_client as client
from google_server import THOUGHTS, TOKENS_OUT, google_server
from model_server import ModelServer
from model_usage import assert_as_served, counted, described
from runner_process import Runs, file, function

CLIENT = """
import asyncio, os
from google import genai
from google.genai import errors, types
at = os.environ["GEMINI"]
retry = types.HttpRetryOptions(attempts=3, initial_delay=0.001, max_delay=0.001, jitter=0)
client = genai.Client(api_key="none", http_options={"base_url": at, "retry_options": retry})
ASK = {"contents": "one two three"}
"""
WORDS = 3


@pytest.fixture
def server() -> Generator[ModelServer]:
    with google_server() as served:
        yield served


def run(runs: Runs, server: ModelServer, body: str) -> str:
    """Run a script that uses the client; return what it printed."""
    runs.write({"main.py": CLIENT + body})
    done = runs.run(file("main.py"), timeout_s=150, GEMINI=server.url)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_kind_of_call_counts_once(runs: Runs, server: ModelServer) -> None:
    body = """
client.models.generate_content(model='whole', **ASK)
list(client.models.generate_content_stream(model='stream', **ASK))
next(client.models.generate_content_stream(model='left', **ASK))
client.chats.create(model='chat').send_message("one two three")
client.models.embed_content(model='embeddings', contents=['one two', 'three'])
client.models.count_tokens(model='counting', **ASK)
async def main():
    await asyncio.gather(*[client.aio.models.generate_content(model='async', **ASK) for _ in range(5)])
    async for _ in await client.aio.models.generate_content_stream(model='async stream', **ASK):
        pass
    await client.aio.aclose()
asyncio.run(main())
vertex = genai.Client(vertexai=True, api_key="none", http_options={"base_url": at})
vertex.models.embed_content(model='text-embedding-005', contents=['one two', 'three'])
"""
    run(runs, server, body)

    control = runs.control
    once = (1, WORDS, TOKENS_OUT)
    models = ("whole", "stream", "chat", "async stream")
    assert {model: counted(control, model) for model in models} == dict.fromkeys(models, once)
    assert counted(control, "async") == (5, 5 * WORDS, 5 * TOKENS_OUT)
    assert counted(control, "embeddings") == counted(control, "text-embedding-005") == (1, WORDS, 0)
    assert counted(control, "left") == (1, WORDS, 1 + THOUGHTS)
    server.told(0, 1 + THOUGHTS - TOKENS_OUT)  # of the stream that was left, only the begin was read
    assert_as_served(control, server)
    assert described(control, "gen_ai.provider.name") == {"gcp.gemini", "gcp.vertex_ai"}
    assert described(control, "gen_ai.operation.name") == {"generate_content", "embeddings"}


def test_failures_and_retries_are_requests_that_failed(runs: Runs, server: ModelServer) -> None:
    server.failures = [500, 429, 200, 503, 503, 503, 400, 500]
    body = """
def call(): return client.models.generate_content(model='m', **ASK)
async def acall(): return await client.aio.models.generate_content(model='m', **ASK)
call()  # 500, 429, then an answer
try:
    call()  # 503 three times
except errors.ServerError:
    print("failed")
async def main():
    try:
        await acall()  # 400, which is not tried again
    except errors.ClientError:
        print("refused")
    await acall()  # 500, then an answer
    await client.aio.aclose()
asyncio.run(main())
"""
    printed = run(runs, server, body)

    assert printed.split() == ["failed", "refused"]
    assert (server.requests, server.failed) == (9, 7)
    assert_as_served(runs.control, server)


def test_a_daft_function_that_calls_it_counts_once(runs: Runs, server: ModelServer) -> None:
    source = """
import os
import daft
from daft.functions import prompt

def main():
    options = {"base_url": os.environ["GEMINI"]}
    provider = daft.ai.provider.load_provider("google", api_key="none", http_options=options)
    frame = daft.from_pydict({"text": ["one two three"] * 4})
    return frame.with_column("a", prompt(frame["text"], provider=provider, model="models/answers"))
"""
    runs.write({"flow.py": source})

    done = runs.run(
        function("flow.py", "main"), GEMINI=server.url, DAFT_RUNNER="native", DAFT_PROGRESS_BAR="0"
    )

    assert done.returncode == 0, done.stderr
    assert counted(runs.control, "answers") == (4, 4 * WORDS, 4 * TOKENS_OUT)
    assert_as_served(runs.control, server)


def test_the_hook_points_are_where_they_were() -> None:
    """Fails when a new version moves what the hook holds on to."""
    for send in (client.BaseApiClient._request_once, client.BaseApiClient._async_request_once):
        assert list(inspect.signature(send).parameters)[1:3] == ["http_request", "stream"]
    assert inspect.isgeneratorfunction(client.HttpResponse.segments)
    assert inspect.isasyncgenfunction(client.HttpResponse.async_segments)
    assert {"url", "data"} <= set(inspect.signature(client.HttpRequest).parameters)
    assert client.HttpResponse({}, ["text"]).response_stream == ["text"]
