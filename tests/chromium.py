"""A real Chromium, driven by Playwright: it watches for what no page of ours may do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    StorageState,
    ViewportSize,
    expect,
    sync_playwright,
)

_NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (  # it asks its maker for nothing, and needs no rights that a container lacks
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
PATIENCE_MS = 60_000
"""How long a page may take to show what is waited for, on a machine that is busy with Ray."""


def executable() -> str | None:
    """Return the system's Chromium, where it has one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def chromium(*more: str) -> Generator[Browser]:
    """Start the system's Chromium. Without one the tests are skipped, and fail where ``CI`` is set."""
    path = executable()
    if path is None:
        missing = "no Chromium: `apt-get install chromium`, or the pages are not tested in a browser"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*QUIET, *more])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """Somebody at a page. ``faults`` is what went wrong unseen: it has to be empty in the end."""

    page: Page
    origin: str
    faults: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Parts of faults that a test brings about on purpose."""

    def watch(self) -> None:
        """Note requests that leave the origin, errors of scripts, and what the console has to say."""
        self.page.on("request", self._requested)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))

    def goto(self, path: str) -> None:
        """Open an address of the server."""
        self.page.goto(self.origin + path)

    def sign_in(self, key: str) -> None:
        """Sign in with an API key, at the page where one does."""
        self.goto("/sign-in")
        self.page.get_by_text("Sign in with an API key").click()
        self.page.get_by_label("API key").fill(key)
        self.page.get_by_role("button", name="Sign in with the key").click()
        self.page.wait_for_url(lambda address: "/sign-in" not in address)

    @property
    def unexpected(self) -> list[str]:
        """The faults that no test brought about."""
        return [fault for fault in self.faults if not any(part in fault for part in self.expected)]

    def _requested(self, request: Request) -> None:
        if request.url.startswith(("data:", "blob:")):
            return
        if urlsplit(request.url).netloc != urlsplit(self.origin).netloc:
            self.faults.append(f"left the origin: {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"console: {message.text}")


@contextmanager
def visit(
    browser: Browser, origin: str, *, width: int = 1280, height: int = 900, state: StorageState | None = None
) -> Generator[Visitor]:
    """Come with a window of this size, and the cookies of a state, if any.

    Faults that nobody expected end it with an error.
    """
    window = ViewportSize(width=width, height=height)
    context = browser.new_context(viewport=window, storage_state=state, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=origin)
    try:
        visitor = Visitor(_page(context), origin)
        visitor.watch()
        yield visitor
        assert visitor.unexpected == []
    finally:
        context.close()


def _page(context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_default_navigation_timeout(PATIENCE_MS)
    return page
