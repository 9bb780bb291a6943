from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import daftray.client
from daftray import AsyncClient, Client
from daftray.client import generate
from daftray.client._async.runs import AsyncRuns
from daftray.client._sync.runs import Runs

FOLDER = Path(generate.__file__).parent


def test_the_client_that_blocks_is_up_to_date() -> None:
    made = generate.generate(FOLDER / "_async")

    assert generate.stale_files(made, FOLDER / "_sync") == []


def test_a_stale_file_is_seen(tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text("old")
    (tmp_path / "gone.py").write_text("left over")

    assert generate.stale_files({"client.py": "new", "added.py": ""}, tmp_path) == [
        "added.py",
        "client.py",
        "gone.py",
    ]


@pytest.mark.parametrize("name", [name for name in vars(AsyncRuns) if not name.startswith("_")])
def test_both_clients_have_the_same_calls(name: str) -> None:
    awaited, blocking = getattr(AsyncRuns, name), getattr(Runs, name)

    assert inspect.signature(awaited).parameters == inspect.signature(blocking).parameters
    assert not inspect.iscoroutinefunction(blocking)


def test_the_blocking_client_names_nothing_asynchronous() -> None:
    for file in (FOLDER / "_sync").glob("*.py"):
        code = file.read_text().partition("\n")[2]
        assert "async" not in code.lower(), file.name


def test_every_public_name_is_there() -> None:
    assert {AsyncClient, Client} <= {getattr(daftray.client, name) for name in daftray.client.__all__}
    with pytest.raises(AttributeError, match="nonsense"):
        _ = daftray.client.nonsense
