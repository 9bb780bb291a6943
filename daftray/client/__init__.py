"""The SDK: a client for the HTTP interface, in two kinds that differ only in ``await``.

    from daftray import Client

    with Client(project="demo") as client:
        run = client.runs.create("pipelines/score.py:main", kwargs={"limit": "100"})
        for line in client.runs.follow(run):
            print(line.message)
        print(client.runs.wait(run).status, client.runs.result(run))

The names are loaded on first use, so that the command line can look at errors and profiles without
paying for an HTTP library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daftray.client._async.client import AsyncClient
    from daftray.client._async.device import AsyncDeviceSignIn
    from daftray.client._sync.client import Client
    from daftray.client._sync.device import DeviceSignIn
    from daftray.client.answers import LogLine, LogMatch, LogMatches, Retry, RunPage
    from daftray.client.errors import (
        AnswerNotUnderstoodError,
        NotConfiguredError,
        RunWaitTimeoutError,
        ServerUnreachableError,
        SignInExpiredError,
        SignInRefusedError,
    )
    from daftray.client.request import run_request
    from daftray.client.sign_in_answers import WhoAmI

__all__ = [
    "AnswerNotUnderstoodError",
    "AsyncClient",
    "AsyncDeviceSignIn",
    "Client",
    "DeviceSignIn",
    "LogLine",
    "LogMatch",
    "LogMatches",
    "NotConfiguredError",
    "Retry",
    "RunPage",
    "RunWaitTimeoutError",
    "ServerUnreachableError",
    "SignInExpiredError",
    "SignInRefusedError",
    "WhoAmI",
    "run_request",
]

_HOMES = {
    "AnswerNotUnderstoodError": "daftray.client.errors",
    "AsyncClient": "daftray.client._async.client",
    "AsyncDeviceSignIn": "daftray.client._async.device",
    "Client": "daftray.client._sync.client",
    "DeviceSignIn": "daftray.client._sync.device",
    "LogLine": "daftray.client.answers",
    "LogMatch": "daftray.client.answers",
    "LogMatches": "daftray.client.answers",
    "NotConfiguredError": "daftray.client.errors",
    "Retry": "daftray.client.answers",
    "RunPage": "daftray.client.answers",
    "RunWaitTimeoutError": "daftray.client.errors",
    "ServerUnreachableError": "daftray.client.errors",
    "SignInExpiredError": "daftray.client.errors",
    "SignInRefusedError": "daftray.client.errors",
    "WhoAmI": "daftray.client.sign_in_answers",
    "run_request": "daftray.client.request",
}


def __getattr__(name: str) -> object:
    """Import the module that holds a public name, the first time the name is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
