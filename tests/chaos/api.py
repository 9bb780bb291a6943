"""The HTTP interface as a stubborn client uses it: it asks any server until one answers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import httpx
import msgspec
from chaos.program import Asked

from daftray.domain.metrics import RunMetrics
from daftray.domain.run import Run, RunEvent

Answer = TypeVar("Answer")

PATIENCE_S = 90.0
"""For one answer: servers that die are started anew, and starting takes seconds."""
_PAUSE_S = 0.1
_PROJECT = "/v1/workspaces/default/projects"
_RUNS = f"{_PROJECT}/chaos/runs"
_BAD_REQUEST, _CONFLICT, _SERVER_ERROR = 400, 409, 500


class RefusedError(Exception):
    """A server answered that it does not do that."""


class Api:
    """The project ``chaos`` of servers that share a database. ``key`` answers once there is one."""

    def __init__(self, urls: Sequence[str], key: Callable[[], str | None]) -> None:
        self._urls = list(urls)
        self._key = key
        self._turn = 0
        self._http = httpx.Client(
            timeout=httpx.Timeout(connect=2, read=20, write=20, pool=5), trust_env=False
        )

    def close(self) -> None:
        self._http.close()

    def make_project(self, remote: str) -> None:
        """Make the project; a server that died after it was made is no reason to fail."""
        self._ask("POST", _PROJECT, {"name": "chaos", "source": {"git": {"remote": remote}}}, fine=_CONFLICT)

    def create(self, asked: Asked, commit: str, variables: dict[str, str]) -> str:
        """Create a run, asking until there is an answer; return its id."""
        body = {
            "name": asked.name,
            "entrypoint": {"file": {"file_path": "work.py", "argv": asked.args}},
            "source": {"git": {"hash": commit}},
            "environment": {"environment_variables": variables},
            "runner": "native",
        }
        answer = self._ask("POST", f"{_RUNS}/", body, headers={"Idempotency-Key": asked.name})
        return msgspec.json.decode(answer.content)["run"]["id"]

    def cancel(self, run_id: str) -> None:
        self._ask("POST", f"{_RUNS}/{run_id}/cancel")

    def get(self, run_id: str) -> Run:
        return self._decoded(f"{_RUNS}/{run_id}", Run)

    def named(self, name: str) -> list[Run]:
        """Return all runs of a name."""
        found = self._decoded(f"{_RUNS}/?q={name}&limit=200", dict[str, msgspec.Raw])
        return [run for run in msgspec.json.decode(found["runs"], type=list[Run]) if run.name == name]

    def events(self, run_id: str) -> list[RunEvent]:
        found = self._decoded(f"{_RUNS}/{run_id}/events", dict[str, list[RunEvent]])
        return found["events"]

    def metrics(self, run_id: str) -> RunMetrics:
        return self._decoded(f"{_RUNS}/{run_id}/metrics", RunMetrics)

    def log(self, run_id: str, attempt: int) -> bytes:
        return self._ask("GET", f"{_RUNS}/{run_id}/logs?attempt={attempt}").content

    def result(self, run_id: str) -> object:
        return msgspec.json.decode(self._ask("GET", f"{_RUNS}/{run_id}/results").content)

    def _decoded(self, path: str, type_: type[Answer]) -> Answer:
        return msgspec.json.decode(self._ask("GET", path).content, type=type_)

    def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,  # Any: JSON
        *,
        headers: dict[str, str] | None = None,
        fine: int | None = None,
    ) -> httpx.Response:
        """Ask until there is an answer, of which failures of a server are none."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            key = self._key()
            self._turn += 1
            url = self._urls[self._turn % len(self._urls)] + path
            if key is not None:
                sent = {**(headers or {}), "Authorization": f"Bearer {key}"}
                with contextlib.suppress(httpx.HTTPError):
                    answer = self._http.request(method, url, json=body, headers=sent)
                    if answer.is_success or answer.status_code == fine:
                        return answer
                    if answer.status_code < _SERVER_ERROR:
                        raise RefusedError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
            if time.monotonic() > deadline:
                raise RefusedError(f"{method} {path}: no answer in {PATIENCE_S:.0f} s")
            time.sleep(_PAUSE_S)
