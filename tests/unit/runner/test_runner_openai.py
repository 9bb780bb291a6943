"""Calls of the real ``openai`` client against a real server: what is reported is what the server served.

Each call names a model of its own, so that one process (the client's import takes seconds) can make many.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest
from model_usage import REQUESTS, assert_as_served, counted
from openai_server import TOKENS_OUT, OpenAiServer, openai_server
from runner_process import Runs, file

CLIENT = """
import asyncio, os, sys
import openai
from openai._base_client import httpx2 as httpx
client = openai.OpenAI(max_retries=2)
aclient = openai.AsyncOpenAI(max_retries=2)
MESSAGES = [{"role": "user", "content": "one two three"}]
"""
WORDS = 3
WHOLE = ("chat", "parsed", "raw", "late", "unparsed", "text", "posted", "responses")
"""Models of calls that are answered whole, each asked another way."""


@pytest.fixture
def server() -> Generator[OpenAiServer]:
    with openai_server() as served:
        yield served


def run(runs: Runs, server: OpenAiServer, body: str, hooks: str = "1") -> str:
    """Run a script that uses the clients; return what it printed."""
    runs.write({"main.py": CLIENT + body})
    done = runs.run(
        file("main.py"), OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY="none", DAFTRAY_HOOKS=hooks
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_kind_of_call_counts_once(runs: Runs, server: OpenAiServer) -> None:
    body = """
client.chat.completions.create(model='chat', messages=MESSAGES)
client.chat.completions.parse(model='parsed', messages=MESSAGES)
client.chat.completions.with_raw_response.create(model='raw', messages=MESSAGES).parse()
with client.chat.completions.with_streaming_response.create(model='late', messages=MESSAGES) as answer:
    answer.parse()
client.chat.completions.with_raw_response.create(model='unparsed', messages=MESSAGES)
with client.chat.completions.with_streaming_response.create(model='text', messages=MESSAGES) as answer:
    answer.text()
    answer.json()
body = {'model': 'posted', 'messages': MESSAGES}
client.post('/chat/completions', body=body, cast_to=httpx.Response)
client.responses.create(model='responses', input='one two three')
client.embeddings.create(model='embeddings', input=['one two', 'three'], encoding_format='float')
client.completions.create(model='completions', prompt='one two three')
client.models.list()
"""
    run(runs, server, body)

    assert_as_served(runs.control, server)
    whole = (1, WORDS, TOKENS_OUT)
    assert {counted(runs.control, model) for model in WHOLE} == {whole}
    assert counted(runs.control, "embeddings") == (1, WORDS, 0)
    assert counted(runs.control, "completions") == whole
    requests = [dict(pairs) for (_, metric, pairs) in runs.control.counters() if metric == REQUESTS]
    assert {each["gen_ai.request.model"]: each["gen_ai.operation.name"] for each in requests} == {
        **dict.fromkeys(WHOLE, "chat"),
        "embeddings": "embeddings",
        "completions": "text_completion",
    }
    assert {each["gen_ai.provider.name"] for each in requests} == {"openai"}
    assert {each["daftray.outcome"] for each in requests} == {"ok"}


def test_concurrent_async_calls_count_once_each(runs: Runs, server: OpenAiServer) -> None:
    body = """
async def main():
    await asyncio.gather(
        *[aclient.chat.completions.create(model='chat', messages=MESSAGES) for _ in range(5)],
        *[aclient.responses.create(model='responses', input='one two three') for _ in range(5)],
        *[aclient.embeddings.create(model='embeddings', input='one two three') for _ in range(5)],
    )
asyncio.run(main())
"""
    run(runs, server, body)

    assert server.requests == 15
    assert_as_served(runs.control, server)
    assert (
        counted(runs.control, "chat") == counted(runs.control, "responses") == (5, 5 * WORDS, 5 * TOKENS_OUT)
    )


def test_streams_count_their_request_and_the_tokens_that_they_tell(runs: Runs, server: OpenAiServer) -> None:
    body = """
told = {"include_usage": True}
create = client.chat.completions.create
list(create(model='silent', messages=MESSAGES, stream=True))
list(create(model='told', messages=MESSAGES, stream=True, stream_options=told))
next(create(model='left', messages=MESSAGES, stream=True))
list(client.responses.create(model='responses', input='one two three', stream=True))
with client.responses.stream(model='responses', input='one two three') as stream:
    stream.get_final_response()
async def main():
    async for _ in await aclient.chat.completions.create(
        model='told', messages=MESSAGES, stream=True, stream_options=told
    ):
        pass
    async for _ in await aclient.responses.create(model='responses', input='one two three', stream=True):
        pass
asyncio.run(main())
"""
    run(runs, server, body)

    assert_as_served(runs.control, server)
    assert counted(runs.control, "silent") == counted(runs.control, "left") == (1, 0, 0)
    assert counted(runs.control, "told") == (2, 2 * WORDS, 2 * TOKENS_OUT)
    assert counted(runs.control, "responses") == (3, 3 * WORDS, 3 * TOKENS_OUT)


def test_a_stream_that_tells_the_sum_so_far_in_every_chunk_counts_it_once(
    runs: Runs, server: OpenAiServer
) -> None:
    server.usage_in_every_chunk = True

    run(runs, server, "list(client.chat.completions.create(model='chat', messages=MESSAGES, stream=True))")

    assert (server.tokens_in, server.tokens_out) == (WORDS, TOKENS_OUT)
    assert_as_served(runs.control, server)


def test_failures_and_retries_are_requests_that_failed(runs: Runs, server: OpenAiServer) -> None:
    server.failures = [500, 429, 200, 500, 500, 500, 400, 503]
    body = """
def call(): return client.chat.completions.create(model='chat', messages=MESSAGES)
async def acall(): return await aclient.chat.completions.create(model='chat', messages=MESSAGES)
call()  # 500, 429, then an answer
try:
    call()  # 500 three times
except openai.InternalServerError:
    print("failed")
async def main():
    try:
        await acall()  # 400, which is not tried again
    except openai.BadRequestError:
        print("refused")
    await acall()  # 503, then an answer
asyncio.run(main())
"""
    printed = run(runs, server, body)

    assert printed.split() == ["failed", "refused"]
    assert (server.requests, server.failed) == (9, 7)
    assert_as_served(runs.control, server)


def test_hooks_can_be_turned_off(runs: Runs, server: OpenAiServer) -> None:
    run(runs, server, "client.responses.create(model='x', input='y')", hooks="0")

    assert (server.requests, runs.control.total(REQUESTS)) == (1, 0)


def test_an_unknown_version_is_told_once_and_works_as_ever(runs: Runs) -> None:
    runs.write(
        {
            "openai/__init__.py": "from openai._base_client import answer\n",
            "openai/_base_client.py": "class SyncAPIClient: ...\ndef answer(): return 42\n",
            "main.py": "import openai\nprint(openai.answer())\n",
        }
    )

    done = runs.run(file("main.py"))

    assert (done.returncode, done.stdout) == (0, "42\n")
    assert done.stderr.startswith("daftray: usage of openai._base_client is not counted")
    assert done.stderr.count("\n") == 1
