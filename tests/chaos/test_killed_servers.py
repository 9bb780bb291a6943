"""Servers are killed at every edge at which something outside changes: no run is lost, none is doubled."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from chaos.book import Book
from chaos.ray_view import RayView
from chaos.trial import Setting, run_trial

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]


def test_one_server_on_sqlite(seed: int, ray_view: RayView, book: Book, tmp_path: Path) -> None:
    judge(Setting(name="sqlite", replicas=1, ray=ray_view, ray_url=ray_view.url), seed, book, tmp_path)


def judge(setting: Setting, seed: int, book: Book, folder: Path) -> None:
    """Make a trial, unless it went well before. What it leaves on disk stays where something is wrong."""
    if book.went_well(setting.name, seed):
        pytest.skip("went well before, with the same code (FRESH=1 forgets that)")
    outcome = run_trial(seed, setting, folder)
    book.note(outcome)
    assert outcome.deaths > 0
    assert not outcome.violations, f"seed {seed}, servers' logs in {folder}"
    shutil.rmtree(folder, ignore_errors=True)
