"""The network between daftray and Ray loses, delays, cuts and falsifies: the same holds of the runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos.book import Book
from chaos.cuts import cut_path
from chaos.ray_view import RayView
from chaos.test_killed_servers import judge
from chaos.trial import Setting

pytestmark = [pytest.mark.ray, pytest.mark.long, pytest.mark.timeout(600)]


def test_a_cut_path_to_ray(seed: int, ray_view: RayView, book: Book, tmp_path: Path) -> None:
    with cut_path(ray_view, seed) as path:
        setting = Setting(name="cut network", replicas=1, ray=ray_view, cut_path=path, deaths=0)
        judge(setting, seed, book, tmp_path)
