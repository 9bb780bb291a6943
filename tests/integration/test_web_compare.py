"""Two runs side by side, as a browser without scripts has them, all of it text."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from api_over_http import api_over_http
from api_runs import end, run_on
from api_server import BASE, ApiServer
from browsing import PAGE, browser, with_person

from daftray.domain.counters import Counter
from daftray.domain.principal import Role
from daftray.domain.problem import ExceptionInfo, ProblemReport
from daftray.domain.result import Column, RunResult
from daftray.domain.run import Verdict
from daftray.domain.status import RunStatus

DEMO = "/projects/default/demo"
EVIL = "<script>alert(1)</script>"
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[ApiServer]:
    async with api_over_http(tmp_path) as server:
        await with_person(server, "eve", Role.VIEWER)
        yield server


async def beside(api: ApiServer, first: dict[str, Any], second: dict[str, Any]) -> str:
    answer = await api.ask("GET", f"{DEMO}/compare?a={first['id']}&b={second['id']}", headers=PAGE)
    assert answer.status_code == 200, answer.text
    assert "<script>" not in answer.text
    return answer.text


async def ended(
    api: ApiServer,
    *,
    commit: str | None = None,
    tokens: float = 0,
    problems: str = "",
    result: RunResult | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Make a run that used, raised and returned something, and has ended."""
    run = await api.create_run(**fields)
    reports = api.services.outcomes._reports
    stored = await run_on(api, run, b"")
    pinned = msgspec.structs.replace(stored, commit=commit)
    context = api.services.reconciler._context
    await context.runs.save(pinned, (), context.claim)
    attributes = {"gen_ai.request.model": "m", "gen_ai.token.type": "input"}
    counter = Counter(process="p", metric="gen_ai.client.token.usage", attributes=attributes, value=tokens)
    await reports.count(run["id"], 1, [counter])
    reported = [_problem(letter) for letter in problems]
    await api.services.run_problems._store.fold(run["id"], 1, reported)
    if result is not None:
        await reports.put_result(run["id"], result)
    await end(api, run, Verdict(status=RunStatus.SUCCEEDED))
    return run


def _problem(letter: str) -> ProblemReport:
    return ProblemReport(
        process="p",
        key=letter,
        fingerprint=letter * 16,
        first_seen=AT,
        last_seen=AT,
        exception=ExceptionInfo(type=f"Error_{letter}", message=EVIL),
    )


async def test_what_differs_is_marked_and_what_is_equal_is_folded(api: ApiServer) -> None:
    commit = api.repo.head
    first = await ended(
        api,
        commit=commit,
        tokens=1000,
        entrypoint={"file": {"file_path": "main.py", "argv": ["--day", "one"]}},
        environment={"dependencies": ["polars"], "environment_variables": {"MODE": EVIL}},
    )
    second = await ended(
        api,
        commit=commit,
        tokens=1500,
        entrypoint={"file": {"file_path": "main.py", "argv": ["--day", "two"]}},
        environment={"dependencies": ["polars>=1"], "environment_variables": {"MODE": EVIL}},
    )
    text = await beside(api, first, second)
    for shown in (
        ">two<",
        "polars&gt;=1",
        "1 differ",
        "\N{MULTIPLICATION SIGN} 1.5",
        "1,500",
        "Both are of",
        "equal</summary>",
    ):
        assert shown in text
    folded = text[text.index(">Variables") : text.index(">Resources")]
    assert "&lt;script&gt;" in folded[folded.index("<details>") :]
    assert 'class="differs"' not in folded


async def test_commits_are_counted_and_what_cannot_be_is_said(api: ApiServer) -> None:
    one = api.repo.head
    other = api.repo.commit(
        {"main.py": "print('hello')\nprint(2)\n", f"{EVIL[1:-1].replace('/', '')}.py": "x\n"}
    )
    first, second = await ended(api, commit=one), await ended(api, commit=other)
    text = await beside(api, first, second)
    for shown in ("2 files changed", "+2", "\N{MINUS SIGN}0", "main.py", "script&gt;alert(1)"):
        assert shown in text
    gone = await ended(api, commit="f" * 40)
    assert "There is no commit ffff" in await beside(api, first, gone)
    assert "is not pinned" in await beside(api, first, await ended(api))
    elsewhere = {"git": {"remote": str(api.repo.path.parent)}}
    assert "of different remotes" in await beside(
        api, first, await ended(api, commit=other, source=elsewhere)
    )


async def test_problems_are_new_seen_or_gone(api: ApiServer) -> None:
    first, second = await ended(api, problems="ab"), await ended(api, problems="bc")
    text = await beside(api, first, second)
    new, seen, gone = (text.index(f'id="{name}"') for name in ("new", "seen", "gone"))
    assert new < text.index("Error_c") < seen < text.index("Error_b") < gone < text.index("Error_a")
    assert f"/runs/{first['id']}/problems/{'a' * 16}" in text
    assert "Neither run has any" in await beside(api, await ended(api), await ended(api))


def json_result(text: bytes) -> RunResult:
    return RunResult(kind="json", value=msgspec.Raw(text))


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        (b'{"a": 1, "b": [2]}', b'{"b":[2],"a":1}', ["The same JSON"]),
        (b'{"a": 1, "b": [2]}', b'{"b":[2, "<script>"],"a":true}', ["The JSON differs", "b[1]", ">true<"]),
        (b'"' + b"x" * 300_000 + b'"', b'"y"', ["too large to say"]),
        (b"[" + b"1," * 200 + b"1]", b"[" + b"2," * 200 + b"2]", ["the first 100", "[99]"]),
    ],
)
async def test_results_of_json_are_compared_by_path(
    api: ApiServer, one: bytes, other: bytes, shown: list[str]
) -> None:
    first = await ended(api, result=json_result(one))
    second = await ended(api, result=json_result(other))
    text = await beside(api, first, second)
    for part in shown:
        assert part in text


async def test_other_results_are_compared_as_far_as_they_are_kept(api: ApiServer) -> None:
    def table(**fields: Any) -> RunResult:
        defaults: dict[str, Any] = {
            "columns": [Column(name="n", type="Int64")],
            "rows": 9,
            "preview": [{"n": 1}],
        }
        return RunResult(kind="table", **{**defaults, **fields})

    first = await ended(api, result=table())
    for result, shown in (
        (table(), "the rest was not looked at"),
        (table(rows=8), "other numbers of rows"),
        (table(preview=[{"n": 2}]), "The first rows differ"),
        (table(columns=[]), "other columns"),
        (json_result(b"1"), "The first is table, the second json"),
        (None, "Only one of the runs has a result"),
    ):
        assert shown in await beside(api, first, await ended(api, result=result))


async def test_ids_that_are_none_get_the_form_back(api: ApiServer) -> None:
    run = await api.create_run()
    source = {"git": {"remote": api.repo.url}}
    assert (await api.ask("POST", BASE, json={"name": "other", "source": source})).status_code == 201
    stranger = await api.ask(
        "POST", f"{BASE}/other/runs", json={"entrypoint": {"file": {"file_path": "main.py"}}}
    )
    foreign = stranger.json()["run"]["id"]
    for query, status, told in (
        ("", 200, "its id"),
        (f"?a={run['id']}", 400, "Second run: give the id"),
        (f"?a={foreign}&b={run['id']}", 404, "First run: there is no such run"),
        (f"?a={run['id']}&b=%22%3E%3Cscript%3E", 404, "&#34;&gt;&lt;script&gt;"),
    ):
        answer = await api.ask("GET", f"{DEMO}/compare{query}", headers=PAGE)
        assert (answer.status_code, told in answer.text) == (status, True), query
        assert "<script>" not in answer.text
        assert not query or run["id"] in answer.text


async def test_ticked_runs_are_compared_the_older_first_also_by_who_may_only_look(api: ApiServer) -> None:
    first, second, third = [await api.create_run() for _ in range(3)]
    eve = browser(api)
    await eve.sign_in("eve")
    page = await eve.get(f"{DEMO}/runs")
    assert f'formaction="{DEMO}/compare"' in page.text
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]

    async def tick(*runs: dict[str, Any]) -> Any:  # an answer of httpx's
        ticked = {"run": [run["id"] for run in runs], "csrf_token": token}
        return await eve.send(f"{DEMO}/compare", ticked)  # type: ignore[arg-type]

    answer = await tick(second, first)
    assert answer.headers["location"] == f"{DEMO}/compare?a={first['id']}&b={second['id']}"
    assert (await eve.get(answer.headers["location"])).status_code == 200
    one = await eve.get((await tick(third)).headers["location"])
    assert (one.status_code, third["id"] in one.text) == (400, True)
    assert "3 are ticked" in (await tick(first, second, third)).text
    token = "forged"
    assert (await tick(first, second)).status_code == 403


async def test_a_run_that_repeats_another_links_to_them_side_by_side(api: ApiServer) -> None:
    first = await api.create_run()
    again = await api.ask("POST", f"{BASE}/demo/runs/{first['id']}/rerun", json={})
    second = again.json()["run"]
    page = (await api.ask("GET", f"{DEMO}/runs/{second['id']}", headers=PAGE)).text
    assert f'href="{DEMO}/compare?a={first["id"]}&amp;b={second["id"]}"' in page
    assert 'name="a"' in page
