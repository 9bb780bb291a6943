"""What the log says of a request that met a defect."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from daftray.api.problems import on_unexpected_error


@pytest.mark.parametrize(
    ("path", "told"),
    [("/v1/ingest/ray/a-secret/events", "/v1/ingest/ray/"), ("/v1/workspaces/x", "/v1/workspaces/x")],
)
def test_the_path_is_told_without_the_secret_of_rays_events(
    path: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    request: Any = SimpleNamespace(url=SimpleNamespace(path=path))
    with caplog.at_level(logging.ERROR, "daftray.api.problems"):
        on_unexpected_error(request, RuntimeError("x"))
    (record,) = caplog.records
    assert record.__dict__["path"] == told
