"""The part of daftray's API that the command line needs, for one project and one run, on a small server."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from factories import a_project, a_run, at
from small_server import Answer, Asked, SmallServer, as_events, as_json, as_problem

from daftray.domain.project import GitRemote, Project, ProjectSource
from daftray.domain.run import Run
from daftray.domain.status import RunPhase, RunStatus

PROJECTS = "/v1/workspaces/default/projects"
REMOTE = "https://git.example/acme/scoring.git"


class SmallApi:
    """Says of every run that it ended as ``ended`` says, after it printed ``log``."""

    def __init__(self, server: SmallServer) -> None:
        self.server = server
        self.project: Project = a_project(
            name="scoring", source=ProjectSource(git=GitRemote(remote=REMOTE, branch="main"))
        )
        self.ended: Run = a_run(
            id="run_1",
            status=RunStatus.SUCCEEDED,
            phase=RunPhase.DONE,
            exit_code=0,
            timings={"pinning": 0.25, "running": 3.0},
            started_at=at(1),
            completed_at=at(4),
        )
        self.log = ["hello", "world"]
        server.on(f"GET {PROJECTS}", lambda _: as_json({"projects": [self.project]}))
        server.on(f"POST {PROJECTS}", self._made)
        server.on(f"GET {PROJECTS}/scoring", lambda _: as_json(self.project))
        server.on(f"POST {self.runs}", lambda _: as_json({"run": self.ended}, status=201))
        server.on(f"GET {self.runs}", lambda _: as_json({"runs": [self.ended], "next_cursor": None}))
        server.on(f"GET {self.run}", lambda _: as_json(self.ended))
        server.on(f"POST {self.run}/rerun", lambda _: as_json({"run": self.ended}, status=201))
        server.on(f"POST {self.run}/cancel", lambda _: as_json({"run": self.ended}))
        server.on(f"GET {self.run}/logs/tail", self._tail)
        server.on(f"GET {self.run}/results/preview", as_problem("result-not-found", 404, "no result"))
        server.on(f"GET {self.run}/problems", as_json({"problems": []}))
        server.on(f"GET {self.run}/metrics", as_json({}))

    @property
    def runs(self) -> str:
        return f"{PROJECTS}/scoring/runs"

    @property
    def run(self) -> str:
        return f"{self.runs}/run_1"

    @property
    def submitted(self) -> Any:  # any JSON
        """Return the body of the one run that was created."""
        (asked,) = self.server.requests(f"POST {self.runs}")
        return asked.json

    def _made(self, asked: Asked) -> Answer:
        body = asked.json
        fields = {**msgspec.to_builtins(self.project), "name": body["name"], "source": body["source"]}
        self.project = msgspec.convert(fields, Project)
        return as_json(self.project, status=201)

    def _tail(self, asked: Asked) -> Answer:
        text, offset = "", 0
        for line in self.log:
            offset += len(line.encode()) + 1
            data = json.dumps({"timestamp": "2030-01-31T10:30:01.123456Z", "message": line})
            if offset > int(asked.query["from"]):
                text += f"event: log\nid: {offset}\ndata: {data}\n\n"
        return as_events(text + f'event: end\ndata: {{"status": "{self.ended.status}"}}\n\n')
