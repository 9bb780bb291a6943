"""A run from its form to its end, and around the site, without a mouse; and all of it in a narrow window."""

from __future__ import annotations

import re

import pytest
from chromium import visit
from e2e_platform import RUN_TIMEOUT_S, Platform
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.ray

PROJECT = "/projects/default/e2e"
MOST_TABS = 80


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus: it must be reachable, within so many presses."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"no {selector} within {MOST_TABS} presses of Tab at {page.url}")


def test_signing_in_making_a_run_and_finding_it_by_keys_alone(browser: Browser, platform: Platform) -> None:
    with visit(browser, platform.server.url) as visitor:
        page, press = visitor.page, visitor.page.keyboard.press
        visitor.goto(f"{PROJECT}/runs")
        tab_to(page, "summary")
        press("Enter")
        tab_to(page, "input[name=key]")
        page.keyboard.type(platform.server.api_key)
        press("Enter")
        page.wait_for_url(f"{visitor.origin}{PROJECT}/runs")

        press("?")
        expect(page.get_by_role("dialog")).to_contain_text("Search")
        press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        press("n")
        page.wait_for_url(re.compile("/new-run"))
        tab_to(page, "input[name=path]")
        page.keyboard.type("hello.py")
        tab_to(page, "textarea[name=argv]")
        page.keyboard.type("Keys")
        tab_to(page, "input[name=name]")
        page.keyboard.type("by keys")
        press("Enter")
        page.wait_for_url(re.compile(r"/runs/run_\w+$"))
        expect(page.locator(".facts .status")).to_have_text("succeeded", timeout=RUN_TIMEOUT_S * 1000)
        press("2")
        expect(page.locator(".log-row", has_text="Hello, Keys!")).to_be_visible()
        press("/")
        page.keyboard.type("Keys")
        expect(page.locator(".said")).to_have_text("1 line matches")
        press("Enter")
        expect(page.locator(".log-row.marked")).to_contain_text("Hello, Keys!")

        press("Escape")
        page.evaluate("document.activeElement.blur()")
        press("g")
        press("r")
        page.wait_for_url(re.compile("/runs$"))
        press("/")
        page.keyboard.type("by keys")
        press("Enter")
        page.wait_for_url(re.compile("q=by"))
        press("j")
        expect(page.locator("th.run a:focus")).to_have_text("by keys")
        press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("by keys")
        press("g")
        press("t")
        page.wait_for_url(re.compile("/tasks$"))


def test_a_run_is_made_watched_and_cancelled_in_a_narrow_window(browser: Browser, platform: Platform) -> None:
    with visit(browser, platform.server.url, width=390, height=844) as visitor:
        visitor.sign_in(platform.server.api_key)
        page = visitor.page
        page.get_by_role("link", name="New run").click()
        page.get_by_label(re.compile("^File or module")).fill("ticker.py")
        page.get_by_role("textbox", name=re.compile("^Arguments")).fill("100")
        page.get_by_role("button", name="Create the run").click()
        page.wait_for_url(re.compile(r"/runs/run_\w+$"))
        expect(page.locator(".facts .status")).to_have_text("running", timeout=RUN_TIMEOUT_S * 1000)
        for name in ("Logs", "Problems", "Results", "Metrics", "Details"):
            page.get_by_role("navigation", name="Parts of the run").get_by_role("link", name=name).click()
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator(".facts .status")).to_have_text("cancelled", timeout=RUN_TIMEOUT_S * 1000)
