"""What every page has in common: its files, its headers, its errors, and that nothing in it can run."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from api_server import BASE, ApiServer, api_server

from daftray.web import assets, pages
from daftray.web.assets import Assets

PAGE = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
TEMPLATES = sorted(pages.FOLDER.rglob("*.html"))
MODULES = sorted(assets.FOLDER.rglob("*.js"))


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        yield server


async def page(api: ApiServer, path: str, *, key: str | None = "admin") -> httpx.Response:
    return await api.ask("GET", path, key=key, headers=PAGE)


async def test_an_error_is_a_page_for_browsers_and_a_document_for_programs(api: ApiServer) -> None:
    shown = await page(api, "/nowhere")
    assert (shown.status_code, shown.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such page" in shown.text
    for path, headers in (("/nowhere", {"accept": "*/*"}), (f"{BASE}/nowhere", PAGE)):
        answer = await api.ask("GET", path, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_a_page_can_neither_run_nor_ask_what_is_not_ours(api: ApiServer) -> None:
    headers = (await page(api, "/nowhere")).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    for what in ("script-src", "style-src", "img-src", "connect-src", "form-action"):
        assert policy[what] == "'self'"
    assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


async def test_what_an_error_repeats_is_text(api: ApiServer) -> None:
    shown = await page(api, "/%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in shown.text


async def test_files_are_kept_for_a_year_under_an_address_of_their_content(api: ApiServer) -> None:
    text = (await page(api, "/nowhere")).text
    found = set(re.findall(r'"(/static/[^"]+)"', text))
    assert len(found) >= 4
    for address in found:
        answer = await api.http.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        older = await api.http.get(re.sub(r"/static/[0-9a-f]{16}/", f"/static/{'0' * 16}/", address))
        assert (older.status_code, older.headers["cache-control"]) == (200, "no-cache")
    assert (await api.http.get("/static/x/none.css")).status_code == 404
    assert (await api.http.get("/static/x/..%2f..%2fpages.py")).status_code == 404


def test_one_changed_byte_changes_the_address() -> None:
    assert Assets({"a.js": b"1"}).url("a.js") != Assets({"a.js": b"2"}).url("a.js")
    assert Assets({"a.js": b"1"}).url("a.js") == Assets({"a.js": b"1"}).url("a.js")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_lets_text_through_or_holds_code_or_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe\b|Markup|autoescape|\bstyle=|\son\w+=|javascript:|https?://", text)
    for tag in re.findall(r"<script\b[^>]*>", text):
        assert re.fullmatch(r"""<script type="module" src="{{ asset\('[\w.-]+'\) }}">""", tag), tag


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_module_makes_markup_or_code_of_text_or_asks_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML\s*=|insertAdjacentHTML|document\.write|\beval\(|new Function", text
    )
    assert not re.search(r"https?://", text)
    for imported in re.findall(r'from "([^"]+)"', text):
        assert (path.parent / imported).is_file(), imported
