"""Script in whatever people and programs can name or print: the pages show it, and nothing runs."""

from __future__ import annotations

import re

import pytest
from chromium import Visitor
from e2e_platform import RUN_TIMEOUT_S, Platform
from playwright.sync_api import expect

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.status import RunStatus

pytestmark = pytest.mark.ray

PROJECT = "/projects/default/e2e"
SCRIPT = "<script>window.pwned=1</script>"
IMAGE = "<img src=x onerror=window.pwned=1>"
BRANCH = "<svg/onload=window.pwned=1>"  # what Git takes as a name
PROGRAM = f"""\
import daft

SCRIPT, IMAGE = {SCRIPT!r}, {IMAGE!r}


class Evil(Exception):
    pass


Evil.__name__ = Evil.__qualname__ = IMAGE


@daft.func(on_error="ignore")
def fail(text: str) -> str:
    raise Evil(f"{{SCRIPT}} {{text}}")  # {SCRIPT}


def main(kind: str):
    print(SCRIPT)
    print("\\x1b[31m" + IMAGE + "\\x1b[0m")
    print("\\x1b]8;;javascript:window.pwned=1\\x07a link\\x1b]8;;\\x07")
    if kind == "json":
        return {{SCRIPT: [IMAGE, {{IMAGE: SCRIPT}}], "href": "javascript:window.pwned=1"}}
    daft.set_runner_ray()
    frame = daft.from_pydict({{SCRIPT: [IMAGE, SCRIPT]}})
    return frame.with_column(IMAGE, fail(frame[SCRIPT]))
"""


@pytest.fixture(scope="module")
def hostile(platform: Platform) -> dict[str, Run]:
    """Two runs of a branch, a name, a label, a variable, an argument and a program that all hold script."""
    platform.repo.branch(BRANCH)
    platform.repo.commit({"evil.py": PROGRAM})
    platform.repo.git("checkout", "--quiet", "main")
    client: Client = platform.client
    made = {
        kind: client.runs.create(
            "evil.py:main",
            kwargs={"kind": kind},
            ref=BRANCH,
            name=f"{kind} {SCRIPT}",
            labels={"evil": IMAGE},
        )
        for kind in ("json", "table")
    }
    ended = {kind: client.runs.wait(run, timeout_s=RUN_TIMEOUT_S) for kind, run in made.items()}
    assert {run.status for run in ended.values()} == {RunStatus.SUCCEEDED}
    return ended


def nothing_ran(visitor: Visitor) -> None:
    """Say that the page's own code is all the code there is."""
    page = visitor.page
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.pwned") is None
    assert (
        page.locator(
            "main script, main [onerror], main [onload], main [src=x], main [href^='javascript']"
        ).count()
        == 0
    )


@pytest.mark.parametrize("kind", ["json", "table"])
@pytest.mark.parametrize("tab", ["", "/logs", "/problems", "/results", "/metrics", "/again"])
def test_a_runs_pages_show_script_as_text(
    visitor: Visitor, hostile: dict[str, Run], kind: str, tab: str
) -> None:
    visitor.goto(f"{PROJECT}/runs/{hostile[kind].id}{tab}")
    expect(visitor.page.locator("main")).to_contain_text(SCRIPT)
    nothing_ran(visitor)


def test_the_log_shows_what_was_printed_and_finds_it(visitor: Visitor, hostile: dict[str, Run]) -> None:
    page = visitor.page
    visitor.goto(f"{PROJECT}/runs/{hostile['json'].id}/logs")
    for text in (SCRIPT, IMAGE):
        expect(page.locator("log-view .log-row").filter(has_text=text).first).to_be_visible()
    page.get_by_role("searchbox", name="Search the log").fill(SCRIPT)
    expect(page.locator("mark").first).to_have_text(SCRIPT)
    nothing_ran(visitor)


def test_an_exception_of_a_udf_is_shown_with_its_code(visitor: Visitor, hostile: dict[str, Run]) -> None:
    page = visitor.page
    visitor.goto(f"{PROJECT}/runs/{hostile['table'].id}/problems")
    page.get_by_role("link", name=re.compile(re.escape(IMAGE))).first.click()
    expect(page.locator("main")).to_contain_text(SCRIPT)
    nothing_ran(visitor)


def test_lists_and_comparisons_show_script_as_text(visitor: Visitor, hostile: dict[str, Run]) -> None:
    json, table = hostile["json"].id, hostile["table"].id
    for path in (f"{PROJECT}/runs?q=evil", f"{PROJECT}/compare?a={json}&b={table}"):
        visitor.goto(path)
        expect(visitor.page.locator("main")).to_contain_text(SCRIPT)
        nothing_ran(visitor)
    visitor.goto(f"{PROJECT}/runs?q={SCRIPT}&label=evil%3D{IMAGE}")
    expect(visitor.page.get_by_role("searchbox")).to_have_value(SCRIPT)
    nothing_ran(visitor)


def test_a_task_named_by_script_is_only_named_so(visitor: Visitor, hostile: dict[str, Run]) -> None:
    page = visitor.page
    visitor.goto(f"{PROJECT}/runs/{hostile['json'].id}")
    page.get_by_text("Save as a task").click()
    page.get_by_role("textbox", name=re.compile("^Name")).fill(IMAGE)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile("/tasks$"))
    expect(page.locator("main")).to_contain_text(IMAGE)
    nothing_ran(visitor)
