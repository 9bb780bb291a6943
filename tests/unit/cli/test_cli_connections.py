"""``daftray data-sources`` and ``catalogs``, ``entrypoints`` and ``integrations``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from factories import NOW, a_connection
from msgspec.structs import replace
from shell import Shell
from small_api import PROJECTS, SmallApi
from small_server import Answer, as_json, as_problem

from daftray.domain.connection import ConnectionSort
from daftray.domain.integration import GithubInstallation, Integration
from daftray.domain.signature import Callable, EntrypointListing, Parameter, SourceListing, TypeShape
from daftray.domain.status import FailureReason, RunStatus

P = ("--project", "scoring")
SCORING = f"{PROJECTS}/scoring"
SOURCES, CATALOGS = f"{SCORING}/data-sources", f"{SCORING}/catalogs"
ORDERS = a_connection(id="src_1").as_data_source
MAIN = a_connection(
    id="cat_1", sort=ConnectionSort.CATALOG, name="main", info={"glue": {"name": "main"}}
).as_catalog
INFO: dict[str, Any] = {"parquet": {"paths": ["s3://bucket/orders/*.parquet"]}}


def test_each_group_lists_its_own_sort(shell: Shell, api: SmallApi) -> None:
    api.server.on(f"GET {SOURCES}", as_json({"data_sources": [ORDERS]}))
    api.server.on(f"GET {CATALOGS}", as_json({"catalogs": [MAIN]}))
    assert shell.run("data-sources", "list", *P) == 0
    assert shell.out.splitlines()[1].split()[:2] == ["orders", "parquet"]
    assert shell.run("catalogs", "list", *P) == 0
    assert shell.out.splitlines()[1].split()[:2] == ["main", "glue"]
    shell.run("data-sources", "list", *P, "--json")
    assert shell.json["data_sources"][0]["id"] == "src_1"
    shell.run("catalogs", "list", *P, "--json")
    assert shell.json["catalogs"][0]["info"] == {"glue": {"name": "main"}}


def test_what_is_shown_can_be_set_again(shell: Shell, api: SmallApi, tmp_path: Path) -> None:
    api.server.on(f"GET {SOURCES}/orders", as_json(ORDERS))
    api.server.on(f"PUT {SOURCES}/src_1", as_json(ORDERS))
    shell.run("data-sources", "show", "orders", *P)
    assert "kind     parquet" in shell.out
    assert json.loads(shell.out.partition("\n\n")[2]) == INFO
    shell.run("data-sources", "show", "orders", *P, "--json")
    file = tmp_path / "orders.json"
    file.write_text(shell.out)
    assert shell.run("data-sources", "set", "orders", "--file", str(file), *P) == 0
    (asked,) = api.server.requests(f"PUT {SOURCES}/src_1")
    assert asked.json == {"name": "orders", "info": INFO}
    assert shell.err == "orders of project scoring is kept (parquet).\n"


def test_a_new_one_is_made_from_stdin(shell: Shell, api: SmallApi) -> None:
    api.server.on(f"GET {CATALOGS}/main", as_problem("catalog-not-found", 404, "none"))
    api.server.on(f"POST {CATALOGS}", as_json(MAIN, status=201))
    words = ["catalogs", "set", "main", "--file", "-", *P, "--json"]
    assert shell.run(*words, stdin='{"glue": {"name": "main"}}') == 0
    assert shell.json["id"] == "cat_1"
    assert api.server.requests(f"POST {CATALOGS}")[0].json["info"] == {"glue": {"name": "main"}}


@pytest.mark.parametrize(("text", "told"), [("[1]", "holds no JSON object"), (None, "cannot be read")])
def test_a_file_that_holds_none_is_told(
    shell: Shell, api: SmallApi, tmp_path: Path, text: str | None, told: str
) -> None:
    file = tmp_path / "info.json"
    if text is not None:
        file.write_text(text)
    assert shell.run("data-sources", "set", "orders", "--file", str(file), *P) == 2
    assert told in " ".join(shell.err.split())
    assert api.server.asked == []


def test_what_the_server_refuses_is_told_with_its_place(shell: Shell, api: SmallApi) -> None:
    issues = [{"path": "info.gopher", "message": "there is no such field"}]
    api.server.on(f"GET {SOURCES}/x", as_problem("data-source-not-found", 404, "none"))
    api.server.on(f"POST {SOURCES}", as_problem("invalid-input", 400, "No.", errors=issues))
    assert shell.run("data-sources", "set", "x", "--file", "-", *P, stdin='{"gopher": {}}') == 2
    assert "info.gopher: there is no such field" in shell.err


def test_one_is_removed(shell: Shell, api: SmallApi) -> None:
    api.server.on(f"DELETE {SOURCES}/orders", Answer(status=204))
    assert shell.run("data-sources", "delete", "orders", *P) == 0
    assert shell.run("catalogs", "delete", "orders", *P) == 1


def checked(api: SmallApi, where: str, result: object) -> None:
    api.server.on(f"POST {where}/check", as_json({"run": api.ended}, status=202))
    api.server.on(f"GET {api.run}/results", as_json(result))


def test_a_check_tells_columns(shell: Shell, api: SmallApi) -> None:
    columns = [{"name": "id", "type": "Int64"}, {"name": "text", "type": "String"}]
    checked(api, f"{SOURCES}/orders", {"ok": True, "columns": columns, "rows_seen": 1})
    words = ["data-sources", "check", "orders", *P, "--dep", "deltalake", "--timeout", "10m"]
    assert shell.run(*words) == 0
    assert [line.split() for line in shell.out.splitlines()[1:]] == [["id", "Int64"], ["text", "String"]]
    assert shell.err == "run run_1 opens orders\nIt opens, and has rows.\n"
    (asked,) = api.server.requests(f"POST {SOURCES}/orders/check")
    assert (asked.json["environment"]["dependencies"], asked.json["timeout_s"]) == (["deltalake"], 600)
    checked(api, f"{SOURCES}/orders", {"ok": True, "columns": columns, "rows_seen": 0})
    shell.run(*words)
    assert "has no rows" in shell.err


def test_a_check_tells_tables(shell: Shell, api: SmallApi) -> None:
    result = {"ok": True, "namespaces": ["a"], "tables": ["a.t", "a.u"], "more": True}
    checked(api, f"{CATALOGS}/main", result)
    assert shell.run("catalogs", "check", "main", *P) == 0
    assert shell.out.split() == ["TABLE", "a.t", "a.u"]
    assert "It opens: 1 namespaces, 2 tables, and more." in shell.err
    shell.run("catalogs", "check", "main", *P, "--json")
    assert shell.json == result


def test_a_check_that_finds_something_wrong_fails(shell: Shell, api: SmallApi) -> None:
    error = {"type": "FileNotFoundError", "reason": "no such bucket"}
    checked(api, f"{SOURCES}/orders", {"ok": False, "error": error})
    assert shell.run("data-sources", "check", "orders", *P) == 1
    assert "It cannot be opened: FileNotFoundError: no such bucket" in shell.err
    assert shell.out == ""
    assert shell.run("data-sources", "check", "orders", *P, "--json") == 1
    assert shell.json["error"] == error


def test_a_check_whose_run_fails_tells_how(shell: Shell, api: SmallApi) -> None:
    checked(api, f"{SOURCES}/orders", {"odd": True})
    assert shell.run("data-sources", "check", "orders", *P) == 1
    assert "error[answer-not-understood]" in shell.err
    api.ended = replace(api.ended, status=RunStatus.FAILED, reason=FailureReason.USER_ERROR, exit_code=None)
    assert shell.run("data-sources", "check", "orders", *P) == 1
    assert "run run_1 failed" in shell.err


def test_files_of_a_commit_are_listed(shell: Shell, api: SmallApi) -> None:
    listing = SourceListing(commit="0123456789abcdef", files=["a.py", "b/c.py"], truncated=True)
    api.server.on(f"GET {SCORING}/entrypoints", as_json(listing))
    assert shell.run("entrypoints", *P, "--ref", "v1") == 0
    assert shell.out == "a.py\nb/c.py\n"
    assert shell.err == "2 files at commit 0123456789; there are more\n"
    assert api.server.requests(f"GET {SCORING}/entrypoints")[0].query == {"ref": "v1"}
    shell.run("entrypoints", *P, "--json")
    assert shell.json["files"] == ["a.py", "b/c.py"]


def a_parameter(name: str, kind: Any = "positional_or_keyword", **more: Any) -> Parameter:
    fields: dict[str, Any] = {
        "annotation": None,
        "default": None,
        "required": True,
        "type": TypeShape(kind="any"),
        **more,
    }
    return Parameter(name=name, kind=kind, **fields)


def test_what_a_file_holds_is_shown_with_parameters(shell: Shell, api: SmallApi) -> None:
    parameters = (
        a_parameter("day", annotation="date"),
        a_parameter("limit", annotation="int", default="10"),
        a_parameter("flag", default="False"),
        a_parameter("rest", "var_keyword"),
    )
    callables = [
        Callable(symbol="main", kind="function", line=3, parameters=parameters, summary="Scores."),
        Callable(symbol="Job", kind="class", line=9, parameters=None),
    ]
    found = EntrypointListing(commit="c" * 40, path="a.py", callables=callables, truncated=False)
    api.server.on(f"GET {SCORING}/entrypoints", as_json(found))
    assert shell.run("entrypoints", "a.py", *P) == 0
    lines = shell.out.splitlines()[1:]
    assert lines[0].split("  ")[0] == "a.py:main(day: date, limit: int = 10, flag=False, **rest)"
    assert lines[0].split()[-2:] == ["3", "Scores."]
    assert lines[1].startswith("a.py:Job(?)")
    assert shell.err == f"2 entrypoints at commit {'c' * 10}\n"
    shell.run("entrypoints", "a.py", *P, "--json")
    assert shell.json["callables"][1]["symbol"] == "Job"


def test_integrations_are_added_listed_and_taken_out(shell: Shell, api: SmallApi) -> None:
    path = "/v1/workspaces/default/integrations"
    kept = Integration(
        id="int_1",
        workspace="default",
        github=GithubInstallation(installation_id=12345),
        created_by="key_1",
        created_at=NOW,
    )
    api.server.on(f"POST {path}", as_json(kept, status=201))
    api.server.on(f"GET {path}", as_json({"integrations": [kept]}))
    api.server.on(f"DELETE {path}", Answer(status=204))
    assert shell.run("integrations", "add", "12345") == 0
    assert shell.out == "int_1\n"
    shell.run("integrations", "list")
    assert shell.out.splitlines()[1].split()[0] == "12345"
    shell.run("integrations", "list", "--json")
    assert shell.json["integrations"][0]["id"] == "int_1"
    assert shell.run("integrations", "rm", "12345") == 0
    assert api.server.requests(f"DELETE {path}")[0].json == {"github": {"installation_id": 12345}}
