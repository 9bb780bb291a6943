"""The stand-in for a language model answers the real `openai` client."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Iterator

import openai
import pytest

from daftray.server.stand_in import MAX_BODY, MODEL, StandIn

LABEL = "Say in one word whether this product review is positive, negative or mixed."


@pytest.fixture
def client() -> Iterator[openai.OpenAI]:
    with (
        StandIn() as stand_in,
        openai.OpenAI(base_url=stand_in.base_url, api_key="any", max_retries=0) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("review", "label"),
    [("Great, I love it.", "positive"), ("It broke. Terrible!", "negative"), ("A lamp.", "mixed")],
)
def test_labels_by_cheerful_and_gloomy_words(client: openai.OpenAI, review: str, label: str) -> None:
    answer = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "system", "content": LABEL}, {"role": "user", "content": review}],
    )

    assert answer.choices[0].message.content == label


def test_says_in_the_model_and_in_a_header_what_it_is(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "Who are you?"}]
    )

    assert raw.headers["x-daftray-stand-in"] == "true"
    assert raw.parse().model == MODEL
    assert [model.id for model in client.models.list()] == [MODEL]


def test_counts_tokens_of_the_whole_conversation(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "system", "content": "a" * 40}, {"role": "user", "content": "b" * 39}],
    )

    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 20
    assert answer.usage.completion_tokens > 0
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_answers_the_responses_protocol_alike(client: openai.OpenAI) -> None:
    answer = client.responses.create(
        model=MODEL,
        instructions=LABEL,
        input=[{"role": "user", "content": [{"type": "input_text", "text": "Excellent."}]}],
    )

    assert answer.output_text == "positive"
    assert answer.usage is not None
    assert answer.usage.input_tokens > answer.usage.output_tokens > 0


def test_embeds_equal_texts_alike_and_others_not(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model=MODEL, input=["one", "two", "one"], dimensions=8)
    first, second, third = (item.embedding for item in answer.data)

    assert len(first) == 8
    assert first == third != second
    assert math.hypot(*first) == pytest.approx(1)
    assert answer.usage.total_tokens == 3


async def test_takes_a_whole_batch_of_rows_at_once() -> None:
    with StandIn() as server:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="any", max_retries=0) as client:
            ask = client.chat.completions.create
            answers = await asyncio.gather(
                *(ask(model=MODEL, messages=[{"role": "user", "content": str(row)}]) for row in range(200))
            )

    assert [answer.choices[0].message.content for answer in answers] == [
        f"({MODEL}) {row}" for row in range(200)
    ]


def test_refuses_to_stream_and_says_so(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="does not stream"):
        client.chat.completions.create(
            model=MODEL, stream=True, messages=[{"role": "user", "content": "Go on."}]
        )


def test_refuses_what_it_does_not_understand(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="messages"):
        client.post("/chat/completions", body={}, cast_to=object)
    with pytest.raises(openai.NotFoundError, match="no /v1/nothing"):
        client.post("/nothing", body={}, cast_to=object)


def test_does_not_read_a_body_without_end() -> None:
    with StandIn() as stand_in:
        port = int(stand_in.base_url.rsplit(":", 1)[1].removesuffix("/v1"))
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            head = f"POST /v1/responses HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n"
            connection.sendall(head.encode())
            answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 413 ")
