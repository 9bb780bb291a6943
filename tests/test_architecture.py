"""The shape of the code, as `docs/architecture.md` tells it: who may import what."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

import daftray
from daftray.domain import errors

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "daftray"
HOMES: dict[str, set[str]] = {
    "alembic": {"adapters/db"},
    "argon2": {"adapters/passwords"},
    "cronsim": {"tasks/schedule.py"},
    "cryptography": {"adapters/vault"},
    "dotenv": {"cli"},
    "filelock": {"adapters/gitrepo"},
    "git": {"adapters/gitrepo"},
    "google": {"metrics/otlp_protobuf.py"},
    "httpx": {"adapters/github", "adapters/openid", "adapters/rayjobs", "client"},
    "httpx_sse": {"client"},
    "jinja2": {"web/pages.py"},
    "jwt": {"adapters/github", "adapters/openid", "adapters/signing"},
    "limits": {"adapters/throttle"},
    "litestar": {"api", "server", "web"},
    "obstore": {"adapters/blobs"},
    "opentelemetry": {"metrics/otlp_protobuf.py"},
    "packaging": {"runtime_env", "cli"},
    "prometheus_client": {"api/prometheus.py", "metrics"},
    "psutil": {"server", "adapters/rayjobs/sweep_job.py"},
    "pydantic": {"server", "cli/serve.py"},
    "pydantic_settings": {"server"},
    "ray": {"adapters/rayjobs/sweep_job.py"},  # runs on the cluster; the server sends its text
    "rich": {"cli"},
    "sqlalchemy": {"adapters/db"},
    "typer": {"cli"},
    "unasync": {"client/generate.py"},
    "uvicorn": {"server"},
    "websockets": {"adapters/rayjobs"},
}
"""Where each library may be imported. msgspec is at home everywhere but in the runner."""

PACKAGE_OF = {
    "argon2": "argon2-cffi",
    "dotenv": "python-dotenv",
    "git": "gitpython",
    "google": "protobuf",
    "httpx_sse": "httpx-sse",
    "jwt": "pyjwt",
    "prometheus_client": "prometheus-client",
    "opentelemetry": "opentelemetry-proto",
    "pydantic": "pydantic-settings",
    "pydantic_settings": "pydantic-settings",
}
"""Which package brings a library, where the names differ."""

NEEDS_MORE = {
    "cli/demo.py": "starts a server, and says what to install where there is none",
    "cli/serve.py": "the same",
    "client/generate.py": "a developer's tool",
}

RUNNER_MAY_FIND = {"boto3", "daft", "numpy", "openai", "pandas", "pyarrow", "pydantic", "pyiceberg", "ray"}
"""What the runner uses where the user's own environment has it, never at the top of a module."""


def sources(folder: Path = PACKAGE) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if ".venv" not in path.parts)


def imports_of(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield the top name of each import and whether it is at the module's top level."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
        for name in names:
            yield name.partition(".")[0], node in tree.body


def test_the_import_contracts_hold() -> None:
    # In a process of its own: the linter sets logging up for itself, and switches all our loggers off.
    linter = Path(sys.executable).with_name("lint-imports")
    asked = subprocess.run(
        [linter, "--no-cache", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert asked.returncode == 0, asked.stdout + asked.stderr


def test_each_library_is_imported_only_at_its_home() -> None:
    strangers: list[str] = []
    for path in sources():
        place = path.relative_to(PACKAGE)
        for name, _ in imports_of(path):
            if name in sys.stdlib_module_names or name in {"daftray", "msgspec"}:
                continue
            if place.parts[0] == "runner" and name in RUNNER_MAY_FIND:
                continue
            if not any(place.is_relative_to(home) for home in HOMES.get(name, set())):
                strangers.append(f"{place} imports {name}")

    assert not strangers


def test_the_runner_needs_nothing_but_the_standard_library() -> None:
    needed = {
        f"{path.name} imports {name}"
        for path in sources(PACKAGE / "runner")
        for name, at_top in imports_of(path)
        if at_top and name not in sys.stdlib_module_names and name != "daftray"
    }

    assert not needed


@pytest.mark.parametrize(
    ("folders", "extras"),
    [
        (("cli", "client", "domain"), ()),
        (("adapters", "api", "metrics", "runtime_env", "server", "tasks", "web"), ("server", "local")),
    ],
)
def test_what_is_imported_is_declared(folders: tuple[str, ...], extras: tuple[str, ...]) -> None:
    """The base install runs the client and the command line; the extras run the server."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [
        *project["dependencies"],
        *chain.from_iterable(project["optional-dependencies"][it] for it in extras),
    ]
    declared = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in lines}
    missing = {
        f"{place} imports {name}"
        for folder in folders
        for path in sources(PACKAGE / folder)
        if (place := path.relative_to(PACKAGE).as_posix()) not in NEEDS_MORE
        for name, _ in imports_of(path)
        if name not in sys.stdlib_module_names | {"daftray"} and PACKAGE_OF.get(name, name) not in declared
    }

    assert not missing


def test_every_home_is_still_lived_in() -> None:
    empty = {
        f"{name} in {home}"
        for name, homes in HOMES.items()
        for home in homes
        if (PACKAGE / home).exists()
        and not any(name == found for path in _below(PACKAGE / home) for found, _ in imports_of(path))
    }

    assert not empty, "take these out of HOMES"


def _below(place: Path) -> list[Path]:
    return sources(place) if place.is_dir() else [place]


def test_the_public_names_are_these() -> None:
    assert sorted(daftray.__all__) == [
        "AsyncClient",
        "Client",
        "__version__",
        "increment",
        "record_usage",
        "set_result",
    ]
    for name in daftray.__all__:
        assert getattr(daftray, name) is not None


def test_every_error_has_a_code_and_stands_in_the_drawn_tree() -> None:
    tree = inspect.getdoc(errors) or ""
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]

    assert len(kinds) > 1
    for kind in kinds:
        code = getattr(kind, "code", "")
        shown = {kind.__name__, code, code.removesuffix("not-found") + " ·"}
        assert code, kind
        assert any(text in tree for text in shown), f"{kind.__name__} ({code}) is missing in the tree"
