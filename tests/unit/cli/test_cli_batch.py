"""``daftray runs create-many``: a file of JSON lines becomes one call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from shell import Shell
from small_api import SmallApi
from small_server import Answer, Asked, as_json, as_problem

P = ("--project", "scoring")
BODIES: list[dict[str, Any]] = [
    {"entrypoint": {"file": {"file_path": "a.py", "argv": ["1"]}}, "labels": {"n": "1"}},
    {"entrypoint": {"module": {"module": "m"}}, "retries": {"max": 2}},
    {"entrypoint": {"file": {"file_path": "ä.py"}}},
]


@pytest.fixture
def batch(api: SmallApi) -> str:
    """Give the route of the call, which makes a run of each body."""

    def made(asked: Asked) -> Answer:
        return as_json({"run_ids": [f"run_{n}" for n in range(len(asked.json["runs"]))]}, status=201)

    api.server.on(f"POST {api.runs}:batch", made)
    return f"POST {api.runs}:batch"


def lines(*bodies: object) -> str:
    return "".join(json.dumps(body) + "\n" for body in bodies)


def test_each_line_is_a_run(shell: Shell, api: SmallApi, batch: str, tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_bytes(b"\xef\xbb\xbf\n" + lines(*BODIES).replace("\n", "\r\n\n").encode())

    assert shell.run("runs", "create-many", str(file), *P) == 0
    assert shell.out == "run_0\nrun_1\nrun_2\n"
    assert shell.err == f"3 runs of project scoring at {api.server.url}\n"
    (asked,) = api.server.requests(batch)
    assert asked.json == {"runs": BODIES}


def test_stdin_will_do_and_json_comes_back(shell: Shell, api: SmallApi, batch: str) -> None:
    words = ["runs", "create-many", "-", *P, "--json", "--idempotency-key", "backfill"]

    assert shell.run(*words, stdin=lines(BODIES[0]).rstrip()) == 0
    assert shell.json == {"run_ids": ["run_0"]}
    (asked,) = api.server.requests(batch)
    assert asked.headers["idempotency-key"] == "backfill"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "stdin has no runs"),
        ("\n \n", "stdin has no runs"),
        (lines(BODIES[0], [1]), "line 2 of stdin is no JSON object: Expected `object`, got `array`."),
        (lines(BODIES[0]) + "\n{'a': 1}\n", "line 3 of stdin is no JSON object: "),
        (lines(BODIES[0]) + '{"entrypoint":\n', "line 2 of stdin is no JSON object: "),
    ],
)
@pytest.mark.usefixtures("batch")
def test_what_is_no_json_is_told_with_its_line_before_anything_is_sent(
    shell: Shell, api: SmallApi, text: str, told: str
) -> None:
    assert shell.run("runs", "create-many", "-", *P, stdin=text) == 2
    assert told in shell.err
    assert api.server.asked == []


@pytest.mark.usefixtures("batch")
def test_a_file_that_is_not_there_is_told(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("runs", "create-many", str(tmp_path / "none"), *P) == 2
    assert "none cannot be read: No such file or directory." in shell.err


def test_the_servers_refusal_names_the_lines(shell: Shell, api: SmallApi) -> None:
    issues = [
        {"path": "runs[0].gpus", "message": "there is no such field"},
        {"path": "runs[1]", "message": "too large"},
        {"path": "runs[1].retries.on[0]", "message": "Invalid enum value 'boom'"},
        {"path": "runs[9].x", "message": "who knows"},
        {"path": "runs", "message": "too many"},
    ]
    answer = as_problem("invalid-input", 400, "The run cannot be created as asked.", errors=issues)
    api.server.on(f"POST {api.runs}:batch", answer)

    assert shell.run("runs", "create-many", "-", *P, stdin="\n\n" + "\n\n".join(map(json.dumps, BODIES))) == 2
    assert shell.out == ""
    assert shell.err.splitlines() == [
        "error[invalid-input]: The run cannot be created as asked. Nothing of stdin was created.",
        "  line 3: gpus: there is no such field",
        "  line 5: too large",
        "  line 5: retries.on[0]: Invalid enum value 'boom'",
        "  runs[9].x: who knows",
        "  runs: too many",
    ]
