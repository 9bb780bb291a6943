"""How the page of a log of a million lines does in a real Chromium, beside plain text in a tab.

The log is in a server's archive; the page is opened, scrolled through and, while 20,000 lines a second come
in, followed. Times are from the request of the page to the first line that is seen; frames are those that the
browser drew; the heap is what its JavaScript holds. As plain text a tenth of the log is opened: with all of
it Chromium shows nothing for minutes.

    PYTHONPATH=tests python bench/log_page.py [LINES] [LINES_PER_SECOND]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

from api_over_http import api_over_http
from api_runs import end, log_on, run_on
from api_server import ApiServer
from browsing import PASSWORD, with_person
from chromium import QUIET, executable
from playwright.async_api import CDPSession, Page, async_playwright

from daftray.domain.principal import Role
from daftray.domain.run import Verdict
from daftray.domain.status import RunStatus

LINES = 1_000_000
A_SECOND = 20_000
FOLLOWED_S = 10
SCROLLED_S = 5
TICK_S = 0.05
AT_ONCE = 100_000
_MIB = 1024**2
RUNS = "/projects/default/demo/runs"

FRAMES = """() => {
  window.frames = []; let last = performance.now();
  const look = (now) => {
    window.frames.push(now - last); last = now;
    window.looking = requestAnimationFrame(look);
  };
  window.looking = requestAnimationFrame(look);
}"""


def lines(first: int, count: int) -> bytes:
    """Return so many lines of about eighty bytes, some of them in colour."""
    return b"".join(
        b"\x1b[3%dmstep\x1b[0m %07d of the job: loss 0.%05d, took %d ms, batch of 64 rows\n"
        % (number % 7 + 1, number, number * 7919 % 100_000, number % 900)
        for number in range(first, first + count)
    )


async def filled(api: ApiServer, count: int, name: str) -> dict[str, Any]:
    """Make a run that goes on, with a log of so many lines."""
    run = await api.create_run(name=name)
    await run_on(api, run, b"")
    for first in range(0, count, AT_ONCE):
        await log_on(api, run, lines(first, min(AT_ONCE, count - first)))
    return run


async def first_line(page: Page, address: str, seen: str) -> float:
    """Return the seconds from asking for a page to the first line on it."""
    await page.goto("about:blank")
    begin = time.perf_counter()
    await page.goto(address, wait_until="commit")
    await page.wait_for_function(seen, timeout=300_000)
    return time.perf_counter() - begin


async def scrolled(page: Page, box: str) -> tuple[float, float]:
    """Scroll through for a while, and return frames a second and the longest frame in milliseconds."""
    await page.evaluate(FRAMES)
    await page.evaluate(
        """async ([box, seconds]) => {
          const node = document.querySelector(box), room = node.scrollHeight - node.clientHeight;
          const begin = performance.now();
          for (let now = begin; now < begin + seconds * 1000; now = performance.now()) {
            node.scrollTop = room * (0.1 + 0.8 * (now - begin) / (seconds * 1000));
            await new Promise(requestAnimationFrame);
          }
        }""",
        [box, SCROLLED_S],
    )
    return await drawn(page)


async def drawn(page: Page) -> tuple[float, float]:
    """Return frames a second, and the longest, since they have been counted."""
    frames = await page.evaluate("() => { cancelAnimationFrame(window.looking); return window.frames; }")
    return len(frames) / (sum(frames) / 1000), max(frames)


async def heap(session: CDPSession) -> float:
    """Return what JavaScript holds, in MiB, garbage included."""
    found = cast("dict[str, list[dict[str, Any]]]", await session.send("Performance.getMetrics"))
    return next(one["value"] for one in found["metrics"] if one["name"] == "JSHeapUsedSize") / _MIB


async def followed(
    page: Page, session: CDPSession, api: ApiServer, run: dict[str, Any], a_second: int
) -> None:
    """Let lines come in, and print how many a second the page took in, and how far behind it was."""
    counted = "document.querySelector('log-view').lines"
    before = int(await page.evaluate(counted))
    await page.evaluate(FRAMES)
    begin, sent, late, most = time.perf_counter(), 0, 0.0, 0.0
    while (passed := time.perf_counter() - begin) < FOLLOWED_S:
        due = int(a_second * passed)
        if due > sent:
            await log_on(api, run, lines(before + sent, due - sent))
            sent = due
        behind = sent - (int(await page.evaluate(counted)) - before)
        late, most = max(late, behind / a_second), max(most, await heap(session))
        await asyncio.sleep(TICK_S)
    fed = time.perf_counter() - begin
    await page.wait_for_function(f"{counted} >= {before + sent}", timeout=300_000)
    took = time.perf_counter() - begin
    frames, longest = await drawn(page)
    print(f"follow      fed {sent / fed:,.0f} lines/s, shown {sent / took:,.0f} ({fed / took:.2f} of that);")
    print(f"{' ':12}at most {late * 1000:,.0f} ms behind; {frames:.0f} frames/s, longest {longest:.0f} ms;")
    print(f"            heap at most {most:.0f} MiB")


async def measure(api: ApiServer, page: Page, session: CDPSession, count: int, a_second: int) -> None:
    begin = time.perf_counter()
    run = await filled(api, count, "long")
    print(f"a log of {count:,} lines, archived in {time.perf_counter() - begin:.1f} s")
    log = f"{RUNS}/{run['id']}/logs"
    origin = str(api.http.base_url).rstrip("/")
    there = f"document.querySelector('.log-row:last-child')?.textContent.includes('{count - 1:07}')"
    first, again = [await first_line(page, origin + log, there) for _ in range(2)]
    frames, longest = await scrolled(page, ".log-box")
    held = await heap(session)
    await page.evaluate("document.querySelector('.log-box').scrollTop = 1e9")
    await followed(page, session, api, run, a_second)
    await end(api, run, Verdict(status=RunStatus.SUCCEEDED))
    print(
        f"page        first lines in {first:.2f} s, again in {again:.2f} s; {frames:.0f} frames/s, "
        f"longest {longest:.0f} ms; heap {held:.0f} MiB",
        flush=True,
    )
    part = count // 10
    small = await filled(api, part, "short")
    plain = f"{origin}/v1/workspaces/default/projects/demo/runs/{small['id']}/logs"
    whole = await first_line(page, plain, f"document.body?.textContent.includes('{part - 1:07}')")
    plain_frames, plain_longest = await scrolled(page, "html")
    print(
        f"plain text  of {part:,} lines in {whole:.2f} s; {plain_frames:.0f} frames/s, "
        f"longest {plain_longest:.0f} ms"
    )
    print(f"ratio       {first / whole:.2f} of its time, {frames / plain_frames:.0f} times its frames")


async def main(count: int, a_second: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with api_over_http(Path(folder)) as api, async_playwright() as playwright:
            await with_person(api, "ada", Role.RUNNER)
            browser = await playwright.chromium.launch(executable_path=executable(), args=[*QUIET])
            # What waits for a line is evaluated as text, which the pages do not let anybody do.
            page = await browser.new_page(base_url=str(api.http.base_url), bypass_csp=True)
            session = await page.context.new_cdp_session(page)
            await session.send("Performance.enable")
            await page.goto("/sign-in")
            await page.get_by_label("Name").fill("ada")
            await page.get_by_label("Password").fill(PASSWORD)
            await page.get_by_role("button", name="Sign in", exact=True).click()
            await page.wait_for_url("**/runs")
            await measure(api, page, session, count, a_second)
            await browser.close()


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    asyncio.run(main(*(given + [LINES, A_SECOND][len(given) :])))
