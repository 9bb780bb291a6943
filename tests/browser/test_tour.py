"""What people do with runs, in a real browser: make them, watch them, understand them, make them again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from chromium import Visitor
from e2e_files import WAIT_FOR_FILE
from e2e_platform import PLACES, RUN_TIMEOUT_S, Platform, wait_for
from openai_server import OpenAiServer
from playwright.sync_api import expect

from daftray.client import Client
from daftray.domain.status import RunPhase

pytestmark = pytest.mark.ray

PROJECT = "/projects/default/e2e"
ENDS_MS = RUN_TIMEOUT_S * 1000


def new_run(visitor: Visitor, kind: str, path: str, **fields: str) -> None:
    """Fill in the form of a run; the caller sends it."""
    visitor.goto(f"{PROJECT}/new-run")
    page = visitor.page
    page.get_by_role("radio", name=kind, exact=True).check()
    page.get_by_label(re.compile("^File or module")).fill(path)
    for label, value in fields.items():
        page.get_by_role("textbox", name=re.compile(f"^{label}")).fill(value)


def create(visitor: Visitor, button: str = "Create the run") -> str:
    """Send the form, and return the id of the run whose page comes."""
    page = visitor.page
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_url(re.compile(r"/runs/run_\w+$"))  # and not the one that it repeats: that ends in "/again"
    return page.url.rpartition("/")[2]


def ends(visitor: Visitor, status: str) -> None:
    """Wait at a run's page, without asking for it again, until it shows how the run ended."""
    expect(visitor.page.locator(".facts .status")).to_have_text(status, timeout=ENDS_MS)


def tab(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_role("navigation", name="Parts of the run").get_by_role("link", name=name).click()


def test_a_file_is_run_and_its_log_comes_in_while_one_looks(visitor: Visitor) -> None:
    page = visitor.page
    new_run(visitor, "file", "ticker.py", Arguments="8", Name="ticking", Labels="team=data")
    create(visitor)
    expect(page.get_by_role("heading", level=1)).to_have_text("ticking")
    tab(visitor, "Logs")
    expect(page.locator(".log-row", has_text="1").first).to_be_visible(timeout=ENDS_MS)
    expect(page.locator("log-view")).to_contain_text("live")
    ends(visitor, "succeeded")
    expect(page.locator("log-view")).not_to_contain_text("live", timeout=ENDS_MS)
    page.get_by_role("searchbox", name="Search the log").fill("second")
    expect(page.locator(".said")).to_contain_text("8")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_text().count("\n") >= 8


def test_a_module_says_hello_and_is_run_again_with_a_change(visitor: Visitor) -> None:
    page = visitor.page
    new_run(visitor, "module", "hello", Arguments="Ada\nGrace")
    first = create(visitor)
    ends(visitor, "succeeded")
    tab(visitor, "Logs")
    expect(page.locator("log-view")).to_contain_text("Hello, Grace!")
    page.get_by_role("link", name="Run again with changes").click()
    argv = page.get_by_role("textbox", name=re.compile("^Arguments"))
    expect(argv).to_have_value("Ada\nGrace")
    argv.fill("Ada\nEdsger")
    expect(page.locator(".changed-mark:visible")).to_have_count(1)
    second = create(visitor, "Run again")
    assert second != first
    ends(visitor, "succeeded")
    tab(visitor, "Logs")
    expect(page.locator("log-view")).to_contain_text("Hello, Edsger!")


def test_a_function_asks_a_model_and_its_table_and_usage_are_shown(
    visitor: Visitor, model: OpenAiServer
) -> None:
    page = visitor.page
    variables = f"OPENAI_BASE_URL={model.base_url}\nOPENAI_API_KEY=no-real-key"
    new_run(visitor, "function", "pipeline.py", Variables=variables)
    page.get_by_role("combobox", name=re.compile("^Function")).select_option("label_reviews")
    page.get_by_role("spinbutton", name=re.compile("^limit")).fill("4")
    page.get_by_role("textbox", name=re.compile("^model")).fill("tiny")
    create(visitor)
    ends(visitor, "succeeded")
    tab(visitor, "Results")
    expect(page.get_by_role("columnheader", name=re.compile("sentiment"))).to_be_visible()
    expect(page.get_by_text("4 rows")).to_be_visible()
    tab(visitor, "Metrics")
    expect(page.get_by_role("row", name=re.compile("tiny"))).to_contain_text("4")
    tab(visitor, "Problems")
    expect(page.get_by_role("heading", name="No problems")).to_be_visible()


def test_a_failed_udf_shows_its_line_and_its_code(visitor: Visitor) -> None:
    page = visitor.page
    new_run(visitor, "function", "flaky.py")
    page.get_by_role("combobox", name=re.compile("^Function")).select_option("total_weight")
    expect(page.get_by_text("It takes none.")).to_be_visible()
    create(visitor)
    ends(visitor, "failed")
    expect(page.get_by_text("user_error").first).to_be_visible()
    tab(visitor, "Problems")
    page.get_by_role("link", name=re.compile("ValueError")).first.click()
    expect(page.locator("pre.message").first).to_have_text(re.compile("could not convert string to float"))
    expect(page.locator("code:visible").filter(has_text='removesuffix(" kg")').first).to_be_visible()


def test_pending_and_running_runs_are_cancelled(
    visitor: Visitor, platform: Platform, client: Client, tmp_path: Path
) -> None:
    commit = platform.repo.commit({"wait.py": WAIT_FOR_FILE})
    gate = str(tmp_path / "never")
    running = [client.runs.create("wait.py", args=[gate], hash=commit) for _ in range(PLACES)]
    for run in running:
        wait_for(client, run, lambda now: now.phase is RunPhase.RUNNING)
    queued = client.runs.create("wait.py", args=[gate], hash=commit, name="queued")
    page = visitor.page
    visitor.goto(f"{PROJECT}/runs/{queued.id}")
    expect(page.get_by_text(re.compile("^Pending: ")).first).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    ends(visitor, "cancelled")
    visitor.goto(f"{PROJECT}/runs/{running[0].id}")
    page.get_by_role("button", name="Cancel").click()
    ends(visitor, "cancelled")
    visitor.goto(f"{PROJECT}/runs?status=running")
    for box in page.get_by_role("checkbox", name=re.compile("^Tick wait")).all():
        box.check()
    page.get_by_role("button", name="Cancel ticked").click()
    for run in running[1:]:
        wait_for(client, run, lambda now: now.status.terminal)


def test_a_run_is_saved_as_a_task_and_started(visitor: Visitor) -> None:
    page = visitor.page
    new_run(visitor, "file", "hello.py", Arguments="task")
    create(visitor)
    ends(visitor, "succeeded")
    tab(visitor, "Details")
    page.get_by_text("Save as a task").click()
    page.get_by_role("textbox", name=re.compile("^Name")).fill("greetings")
    page.get_by_role("button", name=re.compile("^Save")).click()
    page.wait_for_url(re.compile("/tasks$"))
    row = page.get_by_role("row", name=re.compile("greetings"))
    row.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/runs/run_\w+$"))
    ends(visitor, "succeeded")
    tab(visitor, "Logs")
    expect(page.locator("log-view")).to_contain_text("Hello, task!")


def test_the_form_says_the_same_as_a_command_and_checks_dependencies_as_they_are_typed(
    visitor: Visitor,
) -> None:
    page = visitor.page
    new_run(visitor, "file", "hello.py", Arguments="Ada Lovelace")
    page.get_by_text("The same as a command").click()
    command = page.locator("#said-text-1")
    expect(command).to_contain_text("hello.py 'Ada Lovelace'")
    page.get_by_role("button", name="Copy: Command").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == command.inner_text().strip()
    page.get_by_role("textbox", name=re.compile("^Dependencies")).fill("httpx>=0.28\nno such thing!")
    expect(page.locator("#dependency-issues")).to_contain_text("Line 2")
