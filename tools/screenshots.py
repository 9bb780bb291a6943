"""Draw the pictures of docs/tour.md: a real server, real runs on a real Ray, a real Chromium.

    make screenshots

The model is a stand-in, as in the demo. Everything that is started here is ended here.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from chromium import Visitor, chromium, visit
from e2e_platform import RUN_TIMEOUT_S, Platform, platform_on
from environment import say
from playwright.sync_api import Page, expect

from daftray.client import Client
from daftray.domain.price import Price
from daftray.domain.run import Run
from daftray.domain.spec import Environment
from daftray.server.local_ray import LocalRay
from daftray.server.stand_in import MODEL, StandIn

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "tour"
EXAMPLES = ROOT / "examples" / "reviews"
PROJECT = "/projects/default/e2e"
WIDE, NARROW = (1280, 800), (390, 844)


class Runs:
    """The runs that the pictures show."""

    def __init__(self, platform: Platform, model: str) -> None:
        client, commit = platform.client, platform.repo.commit(_examples(), "Label reviews")
        self._client = client
        variables = {"OPENAI_BASE_URL": model, "OPENAI_API_KEY": "none"}
        environment = Environment(environment_variables=variables)

        def label(limit: int) -> Run:
            asked = {"limit": str(limit), "model": MODEL}
            return client.runs.create(
                "pipeline.py:label_reviews",
                kwargs=asked,
                hash=commit,
                environment=environment,
                name="label reviews",
                labels={"team": "data"},
            )

        price = Price(model=MODEL, per_million_tokens_in=150, per_million_tokens_out=600)
        client.prices.set([price], note="made up for the pictures")
        self.hello = self._ended(client.runs.create("hello.py", args=["Ada", "Grace"], hash=commit))
        self.first = self._ended(label(8))
        self.labelled = self._ended(label(24))
        self.failed = self._ended(client.runs.create("flaky.py:total_weight", hash=commit, name="weights"))
        client.tasks.save(self.labelled, "nightly labels")
        self.ticking = client.runs.create("ticker.py", args=["600"], hash=commit, name="ticker")
        self.problem = client.runs.problems(self.failed)[0].fingerprint

    def _ended(self, run: Run) -> Run:
        return self._client.runs.wait(run, timeout_s=RUN_TIMEOUT_S)


def _examples() -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in EXAMPLES.iterdir() if file.is_file()}


@contextmanager
def everything() -> Generator[tuple[Platform, Runs]]:
    """Start a Ray, a server and a model, and let there be runs."""
    with tempfile.TemporaryDirectory(prefix="daftray-tour-", ignore_cleanup_errors=True) as folder:
        ray = LocalRay(data_dir=Path(folder) / "ray", keep=False, num_cpus=4)
        try:
            cluster = asyncio.run(ray.start())
            with (
                StandIn() as model,
                platform_on(Path(folder) / "tour", ray_url=cluster.url, ray_token=cluster.token) as platform,
            ):
                yield platform, Runs(platform, model.base_url)
        finally:
            asyncio.run(ray.stop())


def shots(runs: Runs) -> dict[str, tuple[str, Callable[[Page], object]]]:
    """Return what is drawn: a picture's name, the page, and what is waited for or done there first."""
    labelled, failed = (f"{PROJECT}/runs/{run.id}" for run in (runs.labelled, runs.failed))
    log = re.compile("second 5 of")
    return {
        "runs": (f"{PROJECT}/runs", _nothing),
        "new-run": (f"{labelled}/again", _nothing),
        "details": (labelled, _nothing),
        "log": (
            f"{PROJECT}/runs/{runs.ticking.id}/logs",
            lambda page: expect(page.locator("log-view")).to_contain_text(log, timeout=120_000),
        ),
        "problem": (f"{failed}/problems/{runs.problem}", _nothing),
        "result": (f"{labelled}/results", _nothing),
        "metrics": (f"{labelled}/metrics", _nothing),
        "compare": (f"{PROJECT}/compare?a={runs.first.id}&b={runs.labelled.id}", _nothing),
        "tasks": (f"{PROJECT}/tasks", _nothing),
        "clusters": (f"{PROJECT}/clusters", _nothing),
        "keys": (f"{PROJECT}/runs", lambda page: page.keyboard.press("?")),
    }


def _nothing(page: Page) -> None:
    """Draw the page as it comes."""


def draw(visitor: Visitor, name: str, path: str, first: Callable[[Page], object], *, dark: bool) -> None:
    """Open a page, light or dark, and draw what of it is in the window."""
    page = visitor.page
    page.emulate_media(color_scheme="dark" if dark else "light")
    visitor.goto(path)
    page.wait_for_timeout(500)
    first(page)
    page.screenshot(path=FOLDER / f"{name}.png")
    say(f"docs/tour/{name}.png")


def main() -> None:
    """Draw them all, wide; the log in the dark as well, and two in a narrow window."""
    FOLDER.mkdir(exist_ok=True)
    with everything() as (platform, runs), chromium() as browser:
        client: Client = platform.client
        wanted = shots(runs)
        for (width, height), names, suffix in (
            (WIDE, list(wanted), ""),
            (NARROW, ["runs", "log"], "-narrow"),
        ):
            with visit(browser, platform.server.url, width=width, height=height) as visitor:
                visitor.sign_in(platform.server.api_key)
                for name in names:
                    path, first = wanted[name]
                    draw(visitor, name + suffix, path, first, dark=False)
                if width == WIDE[0]:
                    draw(visitor, "metrics-dark", wanted["metrics"][0], _nothing, dark=True)
        client.runs.cancel(runs.ticking)


if __name__ == "__main__":
    main()
