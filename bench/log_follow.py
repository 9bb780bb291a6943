"""How many lines a second a follower takes from a server: one line in an event, and many, side by side.

A run's log is archived as the reconciler does, by this process, which serves it and reads it, too. Both
streams are read by turns, over HTTP on loopback: the API's, where each line is an event, and that of the
log's page, where an event holds what came in. First a log is read that is there; then one is followed that
grows by 20,000 lines a second, and it is told how long after the last line was written it was read.

    PYTHONPATH=tests python bench/log_follow.py [LINES]
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
from api_over_http import api_over_http
from api_runs import end, log_on, run_on
from api_server import BASE, ApiServer

from daftray.domain.run import Verdict
from daftray.domain.status import RunStatus

LINES = 200_000
ROUNDS = 5
PACE = 20_000
SECONDS = 8
BITS_A_SECOND = 4

Read = Callable[[str], int]
"""Takes an event's data; returns how many lines it holds."""


def line(number: int) -> bytes:
    return b"%07d %s\n" % (
        number,
        b"a line of a hundred bytes, as programs print them by the thousand ......",
    )


def one(data: str) -> int:
    json.loads(data)
    return 1


def many(data: str) -> int:
    return json.loads(data)["text"].count("\n")


async def events(http: httpx.AsyncClient, path: str, headers: dict[str, str]) -> AsyncIterator[str]:
    """Yield the data of each event until the end."""
    ended = False
    async with http.stream("GET", path, headers=headers, timeout=120) as answer:
        answer.raise_for_status()
        async for text in answer.aiter_lines():
            ended = ended or text == "event: end"
            if text.startswith("data: ") and not ended:
                yield text[6:]


async def read(api: ApiServer, path: str, lines_in: Read) -> int:
    headers = {"Authorization": f"Bearer {api.keys['admin']}"}
    return sum([lines_in(data) async for data in events(api.http, path, headers)])


def paths(run: str) -> dict[str, tuple[str, Read]]:
    return {
        "a line in an event": (f"{BASE}/demo/runs/{run}/logs/tail", one),
        "many lines in an event": (f"/projects/default/demo/runs/{run}/logs/tail", many),
    }


async def a_run(api: ApiServer) -> dict[str, str]:
    run = await api.create_run()
    await run_on(api, run, b"")
    return run


async def throughput(api: ApiServer, lines: int) -> None:
    """Print how quickly a log is read that is there already."""
    run = await a_run(api)
    for at in range(0, lines, 10_000):
        await log_on(api, run, b"".join(line(number) for number in range(at, min(lines, at + 10_000))))
    await end(api, run, Verdict(status=RunStatus.SUCCEEDED))
    took: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        both = list(paths(run["id"]).items())
        for name, (path, lines_in) in both if number % 2 else both[::-1]:
            began = time.perf_counter()
            found = await read(api, path, lines_in)
            assert found == lines, f"{name}: {found} of {lines} lines"
            took.setdefault(name, []).append(time.perf_counter() - began)
    alone, together = (took[name] for name in paths(""))
    for name, seconds in took.items():
        print(f"{name}: {lines / statistics.median(seconds):,.0f} lines/s (median of {ROUNDS})")
    ratios = [one / other for one, other in zip(alone, together, strict=True)]
    print(
        f"ratio: median {statistics.median(ratios):.1f}, from {min(ratios):.1f} to {max(ratios):.1f}",
        flush=True,
    )


async def paced(api: ApiServer, name: str) -> None:
    """Print how far a follower is behind a log that grows by `PACE` lines a second."""
    run = await a_run(api)
    path, lines_in = paths(run["id"])[name]
    following = asyncio.create_task(read(api, path, lines_in))
    began, bit = time.perf_counter(), PACE // BITS_A_SECOND
    for number in range(SECONDS * BITS_A_SECOND):
        await log_on(api, run, b"".join(line(at) for at in range(number * bit, (number + 1) * bit)))
        await asyncio.sleep(max(0, began + (number + 1) / BITS_A_SECOND - time.perf_counter()))
    wrote = time.perf_counter() - began
    await end(api, run, Verdict(status=RunStatus.SUCCEEDED))
    found = await following
    behind = time.perf_counter() - began - wrote
    total = PACE * SECONDS
    assert found == total, f"{name}: {found} of {total} lines"
    print(f"{name}: {total / wrote:,.0f} lines/s written, the last one came {behind:.2f} s after", flush=True)


async def main(lines: int) -> None:
    with tempfile.TemporaryDirectory(prefix="daftray-bench-") as folder:
        async with api_over_http(Path(folder)) as api:
            await throughput(api, lines)
            for name in paths(""):
                await paced(api, name)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else LINES))
