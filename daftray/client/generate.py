"""Make the client that blocks from the one that awaits: ``python -m daftray.client.generate``.

``--check`` changes nothing and fails where the generated files are not up to date.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import unasync

_HERE = Path(__file__).parent
_REPLACEMENTS = {
    "_async": "_sync",
    "async_auth_flow": "sync_auth_flow",
    "AsyncAdmin": "Admin",
    "aclose": "close",
    "aclosing": "closing",
    "aiter_bytes": "iter_bytes",
    "aiter_sse": "iter_sse",
    "aread": "read",
    "asyncio": "time",
    "AsyncApiKeys": "ApiKeys",
    "AsyncAudit": "Audit",
    "AsyncMembers": "Members",
    "AsyncUsers": "Users",
    "AsyncWorkspaces": "Workspaces",
    "AsyncBaseTransport": "BaseTransport",
    "AsyncClient": "Client",
    "AsyncConnection": "Connection",
    "AsyncConnectionCalls": "ConnectionCalls",
    "AsyncCatalogs": "Catalogs",
    "AsyncDataSources": "DataSources",
    "AsyncDeviceSignIn": "DeviceSignIn",
    "AsyncIntegrations": "Integrations",
    "AsyncPrices": "Prices",
    "AsyncProjects": "Projects",
    "AsyncRunCreation": "RunCreation",
    "AsyncRunProblems": "RunProblems",
    "AsyncRunRecords": "RunRecords",
    "AsyncRuns": "Runs",
    "AsyncSecrets": "Secrets",
    "AsyncSignedIn": "SignedIn",
    "AsyncTasks": "Tasks",
}
_HEADER = "# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.\n"


def generate(source: Path) -> dict[str, str]:
    """Return the files of the client that blocks, by name, made of those that await."""
    with tempfile.TemporaryDirectory() as folder:
        copies = Path(folder) / "_async"
        copies.mkdir()
        for file in source.glob("*.py"):
            (copies / file.name).write_text(file.read_text("utf-8"), "utf-8")
        rule = unasync.Rule("/_async/", "/_sync/", additional_replacements=_REPLACEMENTS)
        names = [str(file) for file in copies.iterdir()]
        unasync.unasync_files(names, [rule])  # pyright: ignore[reportUnknownMemberType] (it has no types)
        made = (Path(folder) / "_sync").glob("*.py")
        return {file.name: _HEADER + file.read_text("utf-8") for file in sorted(made)}


def stale_files(made: dict[str, str], target: Path) -> list[str]:
    """Return the names of files that are missing, differ, or have no source any more."""
    kept = {file.name: file.read_text("utf-8") for file in target.glob("*.py")}
    return sorted(name for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))


def main(arguments: list[str]) -> int:
    """Write the generated files, or with ``--check`` say which of them are stale."""
    made = generate(_HERE / "_async")
    target = _HERE / "_sync"
    stale = stale_files(made, target)
    if "--check" in arguments:
        if stale:
            sys.stderr.write(f"Stale: {', '.join(stale)}. Run python -m daftray.client.generate\n")
        return 1 if stale else 0
    target.mkdir(exist_ok=True)
    for name in stale:
        if name in made:
            (target / name).write_text(made[name], "utf-8")
        else:
            (target / name).unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
