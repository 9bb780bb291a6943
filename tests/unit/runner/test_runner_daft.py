"""Daft's AI functions: Daft records, the openai client below it is counted, and each call counts once."""

from __future__ import annotations

import inspect
from collections.abc import Generator

import pytest
from daft.ai import metrics
from openai import _base_client as client
from openai_server import TOKENS_OUT, OpenAiServer, openai_server
from runner_process import Runs, function

REQUESTS = "daftray.requests"
TOKENS = "gen_ai.client.token.usage"


@pytest.fixture
def server() -> Generator[OpenAiServer]:
    with openai_server() as served:
        yield served


PIPELINE = """
import daft, openai
from daft.ai.metrics import record_token_metrics
from daft.functions import embed_text, prompt

def main():
    frame = daft.from_pydict({"text": ["one two three"] * 4})
    frame = frame.with_column("a", prompt(frame["text"], model="answers"))
    frame = frame.with_column("b", prompt(frame["text"], model="chats", use_chat_completions=True))
    embed = {"provider": "openai", "model": "text-embedding-3-small", "dimensions": 3}
    frame = frame.with_column("c", embed_text(frame["text"], **embed))
    return frame.with_column("d", by_hand(frame["text"])).with_column("e", elsewhere(frame["text"]))

@daft.func
def by_hand(text: str) -> str:
    client = openai.OpenAI()
    answer = client.chat.completions.create(model="direct", messages=[{"role": "user", "content": text}])
    return answer.choices[0].message.content

@daft.func
def elsewhere(text: str) -> int:
    # As a provider of the user's own does, after a call that daftray cannot see.
    record_token_metrics("prompt", "unseen", "mine", input_tokens=10, output_tokens=20, total_tokens=30)
    return 1
"""


def test_each_call_counts_once_whatever_path_it_took(runs: Runs, server: OpenAiServer) -> None:
    runs.write({"flow.py": PIPELINE})

    done = runs.run(
        function("flow.py", "main"),
        DAFT_RUNNER="native",
        DAFT_PROGRESS_BAR="0",
        OPENAI_BASE_URL=server.base_url,
        OPENAI_API_KEY="none",
    )

    assert done.returncode == 0, done.stderr
    control = runs.control
    unseen = {"gen_ai.request.model": "unseen"}
    assert control.total(REQUESTS, unseen) == 4
    assert (
        control.total(REQUESTS, {**unseen, "gen_ai.provider.name": "mine", "gen_ai.operation.name": "chat"})
        == 4
    )
    assert control.total(REQUESTS) - 4 == server.requests
    for kind, served, of_unseen in (("input", server.tokens_in, 40), ("output", server.tokens_out, 80)):
        told = control.total(TOKENS, {"gen_ai.token.type": kind})
        assert told - of_unseen == served
        assert control.total(TOKENS, {**unseen, "gen_ai.token.type": kind}) == of_unseen
    for model in ("answers", "chats", "direct"):
        of = {"gen_ai.request.model": model}
        assert control.total(REQUESTS, of) == 4
        assert control.total(TOKENS, {**of, "gen_ai.token.type": "output"}) == 4 * TOKENS_OUT
    embeddings = {"gen_ai.request.model": "text-embedding-3-small", "gen_ai.operation.name": "embeddings"}
    assert control.total(REQUESTS, embeddings) == server.paths.count("embeddings")
    assert control.result["rows"] == 4


def test_an_exception_of_a_lazy_result_is_the_runs_own(runs: Runs) -> None:
    """The function has returned, and yet the run failed: its DataFrame runs when the result is made."""
    source = """
import daft

@daft.func.batch(return_dtype=daft.DataType.int64())
def fail(numbers: daft.Series) -> daft.Series:
    raise ZeroDivisionError("theirs")

def main():
    frame = daft.from_pydict({"n": [1]})
    return frame.select(fail(frame["n"]))
"""
    runs.write({"flow.py": source})

    done = runs.run(function("flow.py", "main"), DAFT_RUNNER="native", DAFT_PROGRESS_BAR="0")

    assert done.returncode == 1
    assert "ZeroDivisionError: theirs" in done.stderr
    finished = runs.control.finished
    assert (finished["outcome"], finished["exception"]["type"]) == ("raised", "ZeroDivisionError")
    assert (finished["exception"]["frames"][-1]["file"], runs.control.ending("/result")) == ("flow.py", [])


def test_daft_records_alone_where_the_client_is_not_known(runs: Runs) -> None:
    """One of the two hooks is enough: what Daft's function tells is counted, request and all."""
    source = """
from daft.ai.metrics import record_token_metrics
import warnings
warnings.simplefilter("ignore")
def main():
    record_token_metrics("embed", "m", "p", input_tokens=3, total_tokens=3)
    record_token_metrics("prompt", "m", "p", input_tokens=3, output_tokens=4, total_tokens=7)
"""
    runs.write({"flow.py": source})

    done = runs.run(function("flow.py", "main"))

    assert (done.returncode, done.stderr) == (0, "")
    assert runs.control.total(REQUESTS, {"gen_ai.operation.name": "embeddings"}) == 1
    assert runs.control.total(REQUESTS, {"gen_ai.operation.name": "chat"}) == 1
    assert runs.control.total(TOKENS, {"gen_ai.token.type": "input"}) == 6
    assert runs.control.total(TOKENS, {"gen_ai.token.type": "output"}) == 4


def test_the_hook_points_are_where_they_were() -> None:
    """Fails when a new version of Daft or openai moves what the hooks hold on to."""
    assert list(inspect.signature(metrics.record_token_metrics).parameters) == [
        "protocol",
        "model",
        "provider",
        "input_tokens",
        "output_tokens",
        "total_tokens",
    ]
    for kind in (client.SyncAPIClient, client.AsyncAPIClient):
        assert list(inspect.signature(kind.request).parameters)[1:3] == ["cast_to", "options"]
        assert "response" in inspect.signature(kind._process_response).parameters
        assert callable(kind._sleep_for_retry)
    assert {"data", "response"} <= set(inspect.signature(client.BaseClient._process_response_data).parameters)
