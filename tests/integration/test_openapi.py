"""The OpenAPI document, held against the server by a tool of others: each role gets what it says."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Generator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from api_over_http import api_over_http
from api_runs import end, run_on
from api_server import ApiServer
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from daftray.domain.run import Verdict
from daftray.domain.status import RunStatus

ROLES = ("viewer", "runner", "admin", "stranger", "run", "nobody")
EXAMPLES = int(os.environ.get("EXAMPLES", "4"))
"""Of each route for each role; more of them find more."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
TIMEOUT_S = 30


@dataclass
class Served:
    """A server on loopback, in a thread of its own, with a run that has ended."""

    url: str
    api: ApiServer
    run: str
    keys: dict[str, str]

    def headers(self, role: str) -> dict[str, str]:
        return {} if role == "nobody" else {"Authorization": f"Bearer {self.keys[role]}"}


async def _begin(stack: AsyncExitStack, folder: Path) -> Served:
    api = await stack.enter_async_context(api_over_http(folder))
    run, going_on = await api.create_run(), await api.create_run()
    await run_on(api, run, b"a line\n")
    await end(api, run, Verdict(status=RunStatus.SUCCEEDED))
    keys = {**api.keys, "run": api.token(going_on)}
    return Served(str(api.http.base_url), api, run["id"], keys)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    folder = tmp_path_factory.mktemp("openapi")
    try:
        yield asyncio.run_coroutine_threadsafe(_begin(stack, folder), loop).result(TIMEOUT_S)
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(TIMEOUT_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(TIMEOUT_S)
        loop.close()


@pytest.mark.parametrize("role", ROLES)
def test_nothing_answers_what_the_document_does_not_say(served: Served, role: str) -> None:
    address = f"{served.url}/schema/openapi.json"
    document = schemathesis.openapi.from_url(address, headers=served.headers("admin"), timeout=TIMEOUT_S)
    wrong: set[str] = set()
    asked = 0
    found: Any  # a result of schemathesis' own
    for found in document.get_all_operations():
        asked += 1
        wrong |= findings(found.ok(), served, role)
    assert asked > 80
    assert not wrong, "\n".join(sorted(wrong))


def findings(operation: Any, served: Served, role: str) -> set[str]:
    """Ask a route what the document lets it be asked, and return what is wrong with the answers."""
    there = {"workspace": "default", "project": "demo", "run": served.run}
    wrong: set[str] = set()

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(case=operation.as_strategy(), known=st.booleans())
    def ask(case: Any, *, known: bool) -> None:
        if known:
            case.path_parameters.update({name: there[name] for name in case.path_parameters if name in there})
        answer = case.call(headers=served.headers(role), timeout=TIMEOUT_S)
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            wrong.update(f"{operation.label}: {answer.status_code} {one}"[:400] for one in group.exceptions)

    ask()
    return wrong
