"""Whether a server's memory stays flat: fifty people follow a log for half an hour while runs come and go.

Prints the server's resident memory every half minute and, at the end, the medians of its second and its last
quarter: the first is spent on filling caches. The followers' lines are counted, so that a server that stays
small by sending nothing is seen.

    python bench/soak/soak.py [MINUTES] [FOLLOWERS]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from daftray.adapters.gitrepo.seed import repository_of
from daftray.client import AsyncClient
from daftray.domain.run import Run
from daftray.server.child import ChildServer, child_server

MINUTES = 30.0
FOLLOWERS = 50
LOOK_S = 30.0
NEW_RUN_S = 20.0
_MIB = 1024**2
PROGRAMS = {
    "talk.py": (
        "import sys, time\n"
        "ends = time.time() + float(sys.argv[1])\n"
        "number = 0\n"
        "while time.time() < ends:\n"
        "    print(f'line {number} of a run that is followed', flush=True)\n"
        "    number += 1\n"
        "    time.sleep(0.05)\n"
    ),
    "short.py": "import daftray\ndaftray.record_usage(tokens_in=3)\nprint('short')\n",
}


@dataclass
class Seen:
    """What the soak came to."""

    memory: list[float] = field(default_factory=list[float])
    lines: list[int] = field(default_factory=list[int])
    runs: int = 0


async def follow(client: AsyncClient, run: Run, number: int, seen: Seen) -> None:
    async for _ in client.runs.follow(run):
        seen.lines[number] += 1


async def come_and_go(client: AsyncClient, ends: float, seen: Seen) -> None:
    """Make short runs, list them and read what they left, as people and scripts do."""
    while time.monotonic() < ends:
        run = await client.runs.create("short.py")
        await client.runs.list(limit=50)
        await client.runs.wait(run, timeout_s=120)
        await client.runs.logs(run)
        await client.runs.metrics(run)
        seen.runs += 1
        await asyncio.sleep(NEW_RUN_S)


async def watch(server: ChildServer, ends: float, seen: Seen) -> None:
    process = psutil.Process(server.pid)
    while time.monotonic() < ends:
        seen.memory.append(process.memory_info().rss / _MIB)
        print(
            f"{len(seen.memory) * LOOK_S / 60:5.1f} min: {seen.memory[-1]:6.1f} MiB, {seen.runs} runs, "
            f"{process.num_fds()} open files, lines per follower {min(seen.lines)} to {max(seen.lines)}",
            flush=True,
        )
        await asyncio.sleep(LOOK_S)


async def soak(server: ChildServer, remote: str, minutes: float, followers: int) -> Seen:
    seen = Seen(lines=[0] * followers)
    async with AsyncClient(server.url, server.api_key) as everything:
        await everything.projects.create("soak", remote)
        client = everything.in_project("soak")
        ends = time.monotonic() + minutes * 60
        talking = await client.runs.create("talk.py", args=[str(minutes * 60)])
        async with asyncio.TaskGroup() as group:
            for number in range(followers):
                group.create_task(follow(client, talking, number, seen))
            group.create_task(come_and_go(client, ends, seen))
            group.create_task(watch(server, ends, seen))
    return seen


def main(minutes: float, followers: int) -> None:
    with tempfile.TemporaryDirectory(prefix="daftray-soak-") as folder:
        place = Path(folder)
        (place / "src").mkdir()
        for name, text in PROGRAMS.items():
            (place / "src" / name).write_text(text)
        repository_of(place / "src", place / "repo")
        with child_server(place / "data", options=["--allow-local-remotes"]) as server:
            seen = asyncio.run(soak(server, str(place / "repo"), minutes, followers))
    quarter = max(1, len(seen.memory) // 4)
    second, last = seen.memory[quarter : 2 * quarter] or seen.memory, seen.memory[-quarter:]
    print(f"second quarter: median {statistics.median(second):.1f} MiB")
    print(f"last quarter:   median {statistics.median(last):.1f} MiB")
    print(f"ratio {statistics.median(last) / statistics.median(second):.3f}; {seen.runs} runs")
    print(f"lines of each follower: {min(seen.lines)} to {max(seen.lines)}")


if __name__ == "__main__":
    given = [*sys.argv[1:], *[str(MINUTES), str(FOLLOWERS)][len(sys.argv) - 1 :]]
    main(float(given[0]), int(given[1]))
