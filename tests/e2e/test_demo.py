"""The demo, as a stranger runs it: without a server, a cluster, a key or a project."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

pytestmark = pytest.mark.ray

TIMEOUT_S = 170


def test_the_demo_shows_the_whole_path_and_leaves_nothing() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    done = subprocess.run(
        [sys.executable, "-m", "daftray", "demo", "--limit", "4"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    header, figures = done.stdout.splitlines()[-5:-3]
    assert header.split()[:2] == ["status", "commit"]
    status, _, requests, tokens_in, tokens_out, cpu_seconds, *model = figures.split()
    assert (status, requests) == ("succeeded", "4")
    assert int(tokens_in) > 0
    assert int(tokens_out) > 0
    assert float(cpu_seconds) > 0
    assert "stand-in" in " ".join(model)
    assert "sentiment" in done.stderr, "the result's table"
    assert [process for process in psutil.process_iter(["cmdline"]) if _of_the_demo(process)] == []


def _of_the_demo(process: psutil.Process) -> bool:
    return any("daftray-demo-" in argument for argument in process.info["cmdline"] or ())
