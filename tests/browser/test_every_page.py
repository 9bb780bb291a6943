"""Every page: rules of accessibility, light and dark; a narrow window; nothing from elsewhere."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from chromium import Visitor, visit
from e2e_platform import Platform
from playwright.sync_api import Browser, expect
from site_pages import NAMES, addresses

from daftray.domain.run import Run

pytestmark = pytest.mark.ray

NARROW = 390
GRAVE = {"serious", "critical"}


@pytest.fixture(scope="module")
def site(ended: dict[str, Run], platform: Platform) -> dict[str, str]:
    problem = platform.client.runs.problems(ended["failed"])[0]
    found = addresses(ended, problem.fingerprint)
    assert sorted(found) == sorted(NAMES)
    return found


def opened(visitor: Visitor, address: str) -> None:
    """Open a page, and wait until its modules have done what they do at first."""
    visitor.expected = ("404",)
    visitor.goto(address)
    expect(visitor.page.locator("main")).to_be_visible()
    visitor.page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_no_rule_of_accessible_pages_is_broken(
    visitor: Visitor, site: dict[str, str], name: str, scheme: str
) -> None:
    page = visitor.page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    opened(visitor, site[name])
    found = Axe().run(page).response["violations"]
    assert [
        (one["id"], node["html"], node.get("failureSummary"))
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ] == []


def test_sign_in_and_errors_of_it_are_accessible(browser: Browser, platform: Platform) -> None:
    with visit(browser, platform.server.url) as visitor:
        visitor.expected = ("401",)
        visitor.goto("/sign-in")
        assert [one["id"] for one in Axe().run(visitor.page).response["violations"]] == []
        visitor.page.get_by_label("Name").fill("nobody")
        visitor.page.get_by_label("Password").fill("wrong password")
        visitor.page.get_by_role("button", name="Sign in", exact=True).click()
        expect(visitor.page.get_by_role("alert")).to_contain_text("wrong")
        assert [one["id"] for one in Axe().run(visitor.page).response["violations"]] == []


def test_every_page_fits_a_narrow_window(browser: Browser, platform: Platform, site: dict[str, str]) -> None:
    with visit(browser, platform.server.url, width=NARROW, height=844) as visitor:
        visitor.sign_in(platform.server.api_key)
        wide: dict[str, str] = {}
        for name, address in site.items():
            opened(visitor, address)
            width = visitor.page.evaluate("document.documentElement.scrollWidth")
            if width > NARROW:
                wide[name] = f"{width} px"
        assert wide == {}
