from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from shell import Shell
from small_api import SmallApi
from small_server import as_json

from daftray.domain.result import Column, RunResult

P = ("--project", "scoring")


@pytest.mark.parametrize("kind", ["json", "table"])
def test_what_a_result_lacks_is_shown(shell: Shell, api: SmallApi, kind: Literal["json", "table"]) -> None:
    result = RunResult(kind=kind, columns=[Column(name="a", type="x")], preview=[], rows=0, note="1 is null")
    api.server.on(f"GET {api.run}/results/preview", as_json(result))
    assert shell.run("runs", "result", "run_1", *P) == 0
    assert shell.out.endswith("\n(1 is null)\n")


def test_a_result_that_was_not_kept_is_no_file(shell: Shell, api: SmallApi, tmp_path: Path) -> None:
    api.server.on(f"GET {api.run}/results/preview", as_json(RunResult(kind="omitted", note="a socket")))
    assert shell.run("runs", "result", "run_1", *P, "--out", str(tmp_path / "out")) == 1
    assert "a socket" in shell.err
    assert not (tmp_path / "out").exists()
