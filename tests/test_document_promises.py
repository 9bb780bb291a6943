"""What the documents say of commands, variables and numbers is what the code does."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from pydantic import BaseModel

from daftray.api import runs as api_runs
from daftray.cli import serve
from daftray.cli.app import app
from daftray.retention import janitor
from daftray.retention.policy import RetentionPolicy
from daftray.runs import reconciler, requests
from daftray.runs.context import Policy
from daftray.server.app import LARGEST_BODY
from daftray.server.settings import ServerSettings

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
OPERATIONS, LIFECYCLE, SECURITY = (
    (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("operations", "run-lifecycle", "security")
)
VARIABLE = re.compile(r"DAFTRAY_[A-Z_]*[A-Z]")
COMMAND = re.compile(r"daftray ([a-z][a-z-]*)(?: ([a-z][a-z-]+))?")
GIBIBYTE = 1024**3


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def commands() -> dict[str, set[str]]:
    """Return the commands, each with those below it."""
    top = typer.main.get_command(app)
    return {
        name: set(getattr(command, "commands", ())) for name, command in getattr(top, "commands", {}).items()
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_variables_that_are_named_are_read(document: Path) -> None:
    settings = {f"DAFTRAY_{name.upper()}" for name in ServerSettings.model_fields}
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "daftray").rglob("*.py"))
    assert [
        name for name in sorted({*VARIABLE.findall(text_of(document))} - settings) if name not in code
    ] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_commands_that_are_named_exist(document: Path) -> None:
    quoted = re.findall(r"`(daftray [^`]+)`", text_of(document))
    quoted += re.findall(r"(?m)^(?:.*[|$] ?)?(daftray [a-z].*)$", "\n".join(code_of(document)))
    there, wrong = commands(), list[str]()
    for line in quoted:
        found = COMMAND.match(line)
        if found is None:
            continue
        below = there.get(found[1])
        if below is None or (below and found[2] not in below):
            wrong.append(line)
    assert wrong == []


def code_of(document: Path) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", text_of(document), re.DOTALL)


def test_options_of_serve_that_are_named_exist() -> None:
    options = {option for one in typer.main.get_command(serve.app).params for option in one.opts}
    wanted = {"--allow-local-remotes", "--blobs-url", "--database-url", "--host", "--keep-ray"}
    wanted |= {"--max-running", "--port", "--public-url", "--ray", "--data-dir"}
    assert wanted <= options
    assert wanted <= {*re.findall(r"--[a-z-]+", OPERATIONS + LIFECYCLE + SECURITY)}


SDK = (ROOT / "docs" / "sdk.md").read_text(encoding="utf-8")
CALL = re.compile(r"(?:(\w+)\.)?(\w+)\(([^()]*)\)")


def test_calls_of_the_sdk_that_are_named_exist_and_take_what_is_said() -> None:
    table = SDK.partition("| Call | Gives |")[2].partition("\n\n")[0]
    calls = 0
    for row in table.splitlines()[2:]:
        group = ""
        for named_group, call, written in CALL.findall("".join(re.findall(r"`[^`]+`", row.split("|")[1]))):
            group = named_group or group
            kind = "".join(word.capitalize() for word in group.split("_"))
            calls_of = getattr(import_module(f"daftray.client._sync.{group}"), kind)
            signature = inspect.signature(getattr(calls_of, call))
            takes = {*signature.parameters, *(("overrides",) if call == "rerun" else ())}
            names = {name.partition("=")[0].lstrip("*") for name in re.split(r",\s*", written)} - {"…", ""}
            assert names <= takes, f"{group}.{call}"
            calls += 1
    assert calls > 20


def defaults(model: type[BaseModel]) -> dict[str, object]:
    return {f"DAFTRAY_{name.upper()}": field.default for name, field in model.model_fields.items()}


def test_what_is_kept_by_default_is_what_the_table_says() -> None:
    table = OPERATIONS.partition("| Setting | By default |")[2].partition("\n\n")[0]
    units = {"GiB": GIBIBYTE, "": 1}
    known, seen = defaults(ServerSettings), set[str]()
    for row in table.splitlines()[2:]:
        _, names, values, *_ = (cell.strip() for cell in row.split("|"))
        for name, value in zip(VARIABLE.findall(names), values.split(","), strict=True):
            number, _, unit = value.strip().strip("`").partition(" ")
            assert known[name] == (None if number == "none" else int(number) * units[unit]), name
            seen.add(name)
    retention = {
        f"DAFTRAY_{name.upper()}" for name in ServerSettings.model_fields if name.startswith("keep_")
    }
    assert retention - {"DAFTRAY_KEEP_RAY"} <= seen


POLICY = Policy(report_url="", max_running=1)
SETTINGS = SimpleNamespace(**{name: field.default for name, field in ServerSettings.model_fields.items()})


@pytest.mark.parametrize(
    ("text", "promise", "kept"),
    [
        (LIFECYCLE, "seven days (`DAFTRAY_QUEUE_TIMEOUT_S`)", SETTINGS.queue_timeout_s == 7 * 86400),
        (LIFECYCLE, "30 minutes (`DAFTRAY_START_TIMEOUT_S`)", SETTINGS.start_timeout_s == 1800),
        (LIFECYCLE, "ten minutes (`DAFTRAY_CLUSTER_TIMEOUT_S`)", SETTINGS.cluster_timeout_s == 600),
        (LIFECYCLE, "once it was told to | | 12 seconds", POLICY.cancel_deadline == timedelta(seconds=12)),
        (LIFECYCLE, "does not answer | | 60 seconds", POLICY.harvest_deadline == timedelta(seconds=60)),
        (
            LIFECYCLE,
            "512 MiB\nof it stay free",
            SETTINGS.head_reserve_bytes == POLICY.head_reserve == 512 << 20,
        ),
        (LIFECYCLE, "reckoned with 400 MiB", SETTINGS.run_memory_bytes == POLICY.memory_per_run == 400 << 20),
        (LIFECYCLE, "given up after five tries", reconciler.Patience().failures == 5),
        (LIFECYCLE, "for 30 days unless", RetentionPolicy().keys == timedelta(days=30)),
        (LIFECYCLE, "takes up to 1,000 bodies", requests.MOST_AT_ONCE == 1000),
        (OPERATIONS, "Every half minute the server also looks", timedelta(seconds=30) == janitor.EVERY),
        (OPERATIONS, "every five minutes", SETTINGS.retention_interval_s == 300),
        (OPERATIONS, "is older than a day", RetentionPolicy().grace == timedelta(days=1)),
        (OPERATIONS, "within some 16 seconds", SETTINGS.claim_lease_s + reconciler.POLL_S == 16),
        (
            SECURITY,
            "10 MiB; 110 MiB for a run",
            (LARGEST_BODY, api_runs.LARGEST_BODY) == (10 << 20, 110 << 20),
        ),
        (SECURITY, "as it is asked for: 512 KiB", requests.LARGEST_SPEC == 512 << 10),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) and len(value) < 80 else "",
)
def test_numbers_are_the_codes(text: str, promise: str, kept: bool) -> None:
    assert promise in text
    assert kept
