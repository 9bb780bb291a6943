"""What of a commit can be run, over HTTP and a real mirror."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from api_server import BASE, ApiServer, api_server

PATH = f"{BASE}/demo/entrypoints"
CODE = '''\
"""Jobs."""
import daft

def score(reviews: daft.DataFrame, limit: int = 10, *, token: str = "s3cret-value"):
    """Score reviews."""
'''


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_server(tmp_path) as server:
        server.repo.commit(
            {
                "pkg/jobs.py": CODE,
                "pkg/__init__.py": "def top(): ...\n",
                "bad.py": "x = 1\ny = (\n",
                "a.txt": "",
            }
        )
        yield server


async def asked(api: ApiServer, status: int = 200, **params: str) -> Any:
    answer = await api.ask("GET", PATH, key="viewer", params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_the_files_of_the_projects_branch_are_listed(api: ApiServer) -> None:
    found = await asked(api)
    assert {"bad.py", "pkg/__init__.py", "pkg/jobs.py"} <= set(found["files"])
    assert "a.txt" not in found["files"]
    assert (found["commit"], found["truncated"]) == (api.repo.head, False)


@pytest.mark.parametrize("path", ["pkg/jobs.py", "pkg.jobs", "./pkg/jobs.py"])
async def test_the_callables_of_a_file_or_module_come_with_their_parameters(
    api: ApiServer, path: str
) -> None:
    found = await asked(api, path=path)
    assert (found["path"], found["commit"]) == ("pkg/jobs.py", api.repo.head)
    (score,) = found["callables"]
    assert (score["symbol"], score["line"], score["summary"]) == ("score", 4, "Score reviews.")
    reviews, limit, token = score["parameters"]
    assert reviews["type"] == {"kind": "data_source"}
    assert (limit["default"], limit["required"], limit["annotation"]) == ("10", False, "int")
    assert (token["kind"], token["default"]) == ("keyword_only", '"s3cret-value"')


async def test_a_package_is_its_init_file(api: ApiServer) -> None:
    assert [one["symbol"] for one in (await asked(api, path="pkg"))["callables"]] == ["top"]


async def test_secret_values_are_covered(api: ApiServer) -> None:
    await api.ask("PUT", f"{BASE}/demo/secrets/TOKEN", json={"value": "s3cret-value"})
    assert "s3cret" not in str(await asked(api, path="pkg.jobs"))


async def test_another_ref_is_read_where_it_is_named(api: ApiServer) -> None:
    before = api.repo.head
    api.repo.commit({"later.py": "def later(): ...\n"})
    assert "later.py" not in (await asked(api, ref=before))["files"]
    assert "later.py" in (await asked(api, ref="main"))["files"]
    assert (await asked(api, 400, ref="nowhere"))["type"] == "source-not-found"


async def test_what_cannot_be_read_is_told(api: ApiServer) -> None:
    problem = await asked(api, 400, path="bad.py")
    assert "bad.py, line 2" in problem["detail"]
    assert [one["path"] for one in problem["errors"]] == ["path"]
    for path in ("pkg/none.py", "none", "pkg.jobs.score"):
        assert (await asked(api, 404, path=path))["type"] == "file-not-found"
    for path in ("pkg/a.txt", "../x.py", "/etc/x.py", "pkg/../../x.py", "a b", "x\ny.py"):
        assert (await asked(api, 400, path=path))["type"] == "invalid-input", path
    api.repo.commit({"large.py": "#" * 600_000})
    assert (await asked(api, 400, path="large.py"))["type"] == "source-too-large"


async def test_strangers_find_nothing(api: ApiServer) -> None:
    assert (await api.ask("GET", PATH, key="stranger")).status_code == 404
    assert (await api.ask("GET", PATH, key=None)).status_code == 401
