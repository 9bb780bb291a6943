"""Servers are killed at every edge at which something outside changes: no run is lost, none is doubled."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from chaos.book import Book
from chaos.ray_view import RayView
from chaos.trial import Setting, run_trial

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]


def test_one_server_on_sqlite(seed: int, ray_view: RayView, book: Book, tmp_path: Path) -> None:
    judge(Setting(name="sqlite", replicas=1, ray=ray_view), seed, book, tmp_path)


@pytest.mark.long
def test_one_server_on_postgresql(
    seed: int, ray_view: RayView, database: str, book: Book, tmp_path: Path
) -> None:
    judge(Setting(name="postgresql", replicas=1, ray=ray_view, database_url=database), seed, book, tmp_path)


def test_two_servers_on_one_postgresql(
    seed: int, ray_view: RayView, database: str, book: Book, tmp_path: Path
) -> None:
    setting = Setting(name="two on postgresql", replicas=2, ray=ray_view, database_url=database)
    judge(setting, seed, book, tmp_path)


def judge(setting: Setting, seed: int, book: Book, folder: Path) -> None:
    """Make a trial, unless it went well before. What it leaves on disk stays where something is wrong."""
    if book.went_well(setting.name, seed):
        pytest.skip("went well before, with the same code (FRESH=1 forgets that)")
    if not book.long:
        setting = replace(setting, runs=4, deaths=min(2, setting.deaths))
    outcome = run_trial(seed, setting, folder)
    book.note(outcome)
    assert not outcome.violations, f"seed {seed}, servers' logs in {folder}"
    shutil.rmtree(folder, ignore_errors=True)
