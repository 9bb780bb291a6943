"""The program of the matrix tests: every shape of UDF, what it does, and how it spends, each cell on its own.

A cell is ``shape-outcome-spending``. Its UDF carries that name, asks a model of that name once for each row,
and writes a line to a ledger before it raises: what daftray shows is held to the ledger and to what the
model's server counted.
"""

from __future__ import annotations

from itertools import product

SHAPES = (
    "row",
    "generator",
    "async",
    "batch",
    "async_batch",
    "class",
    "async_class",
    "init",
    "pool",
    "process",
    "legacy",
    "legacy_class",
    "legacy_pool",
)
OUTCOMES = ("returns", "raises", "logs", "ignores", "retries")
SPENDINGS = ("hand", "ai", "sync", "async", "stream")
ROWS = 4
WORDS = 3
"""In each row's text, which is what a request costs on its way in."""
RAISING_LINE = "raise BadRowError(text)  # here"
HANDLED = {"raises": "raise", "logs": "log", "ignores": "ignore", "retries": "ignore"}
TIMES = {"raises": 1, "logs": 1, "ignores": 1, "retries": 3}
_SLOW = ("pool", "process", "legacy_pool")
"""Each starts processes of its own, which takes seconds."""


def cells(*shapes: str) -> list[str]:
    """Return the cells of some shapes, or all. Daft's older UDFs know neither ``on_error`` nor retries."""
    return [
        f"{shape}-{outcome}-{spending}"
        for shape, outcome, spending in product(shapes or SHAPES, OUTCOMES, SPENDINGS)
        if not (shape.startswith("legacy") and outcome in {"logs", "ignores", "retries"})
        and not (shape == "init" and outcome == "returns")
    ]


def few_cells() -> list[str]:
    """Return some of each shape, outcome and spending; each shape raises in one of them."""
    found: list[str] = []
    for cell in cells():
        shape, outcome, spending = cell.split("-")
        at = SHAPES.index(shape) + OUTCOMES.index(outcome)
        often = outcome == "raises" or (at % 2 == 0 and shape not in _SLOW)
        if SPENDINGS[at % len(SPENDINGS)] == spending and (often or (shape, outcome) == ("pool", "returns")):
            found.append(cell)
    return found


SOURCE = f"""
import asyncio, functools, os, time
from collections.abc import Iterator

import daft, daftray, openai
from daft import DataType, Series, col
from daft.ai.openai.provider import OpenAIProvider

TEXTS = ["one fine row", "two fine rows", "bad row here", "one last row"]
OPTIONS = {{
    "returns": {{}},
    "raises": {{}},
    "logs": {{"on_error": "log"}},
    "ignores": {{"on_error": "ignore"}},
    "retries": {{"on_error": "ignore", "max_retries": {TIMES["retries"] - 1}}},
}}

class BadRowError(Exception):
    pass

def note(line):
    file = os.open(os.environ["LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, (line + "\\n").encode())
    os.close(file)

def check(cell, text):
    if text.startswith("bad") and "-returns-" not in cell:
        note(cell)
        {RAISING_LINE}
    return text

def message(text):
    return [{{"role": "user", "content": text}}]

def by_hand(cell, text):
    daftray.record_usage(model=cell, provider="mine", tokens_in=len(text.split()), tokens_out=2)
    daftray.increment("rows", cell=cell)
    note(cell + "|hand")

@functools.cache
def client():
    return openai.OpenAI()

async def prompted(cell, text):
    prompter = OpenAIProvider().get_prompter(model=cell).instantiate()
    await prompter.prompt((text,))
    await prompter.llm.close()

async def asked(cell, text):
    async with openai.AsyncOpenAI() as client:
        await client.chat.completions.create(model=cell, messages=message(text))

def streamed(cell, text):
    options = {{"stream": True, "stream_options": {{"include_usage": True}}}}
    list(client().chat.completions.create(model=cell, messages=message(text), **options))

def spend(cell, text):
    if "pool" in cell:
        time.sleep(0.3)  # so that the last row is counted soon after a report, and well ahead of the next
    kind = cell.rpartition("-")[2]
    if kind == "hand":
        by_hand(cell, text)
    elif kind == "sync":
        client().chat.completions.create(model=cell, messages=message(text))
    elif kind == "stream":
        streamed(cell, text)
    else:
        asyncio.run(prompted(cell, text) if kind == "ai" else asked(cell, text))
    return check(cell, text)

async def aspend(cell, text):
    kind = cell.rpartition("-")[2]
    if kind in {{"ai", "async"}}:
        await (prompted(cell, text) if kind == "ai" else asked(cell, text))
        return check(cell, text)
    return spend(cell, text)

def named(udf, cell):
    udf.__name__ = udf.__qualname__ = cell
    return udf

def make(cell):
    shape, outcome, _ = cell.split("-")
    options = OPTIONS[outcome]
    text = DataType.string()

    def row(text): return spend(cell, text)
    async def arow(text): return await aspend(cell, text)
    def generator(text): yield spend(cell, text)
    def batch(texts): return [spend(cell, text) for text in texts.to_pylist()]
    async def abatch(texts): return [await aspend(cell, text) for text in texts.to_pylist()]

    class Rows:
        @daft.method(return_dtype=text)
        def __call__(self, text): return spend(cell, text)

    class AsyncRows:
        @daft.method(return_dtype=text)
        async def __call__(self, text): return await aspend(cell, text)

    class Init:
        def __init__(self): spend(cell, "bad row here")
        @daft.method(return_dtype=text)
        def __call__(self, text): return text

    class Batches:
        def __init__(self): pass  # Daft asks for one
        def __call__(self, texts): return batch(texts)

    for kind in (Rows, AsyncRows, Init):
        named(kind.__call__, cell)
    if shape == "legacy":
        return daft.udf(return_dtype=text)(named(batch, cell))
    if shape == "legacy_class":
        return daft.udf(return_dtype=text)(named(Batches, cell))
    if shape == "legacy_pool":
        return daft.udf(return_dtype=text, concurrency=2)(named(Batches, cell))
    if shape in {{"batch", "async_batch"}}:
        function = batch if shape == "batch" else abatch
        return daft.func.batch(return_dtype=text, **options)(named(function, cell))
    if shape in {{"row", "async", "generator"}}:
        function = {{"row": row, "async": arow, "generator": generator}}[shape]
        kind = Iterator[str] if shape == "generator" else str
        function.__annotations__["return"] = kind
        return daft.func(**options)(named(function, cell))
    more = {{"pool": {{"max_concurrency": 2}}, "process": {{"use_process": True}}}}.get(shape, {{}})
    return daft.cls({{"init": Init, "async_class": AsyncRows}}.get(shape, Rows), **options, **more)()

def main(cells):
    ended = {{}}
    for cell in cells:
        frame = daft.from_pydict({{"text": TEXTS}})
        try:
            values = frame.select(make(cell)(col("text")).alias("value")).to_pydict()["value"]
            ended[cell] = [value is None for value in values]
        except Exception as error:
            ended[cell] = type(error).__name__
    return ended
"""
