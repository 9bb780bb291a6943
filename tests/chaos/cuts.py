"""The network between daftray, Ray and the runs, cut.

One gate stands before the dashboard, one before the node's agent, and one before the server, for the runs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec
from chaos.gate import Faults, Gate, Request
from chaos.lives import chance_of
from chaos.ray_view import RayView

CUT_FOR_S = 25.0
SHARE = 0.2
"""Of all requests. Each run has dozens of them."""
_AGENT = re.compile(rb'"driver_agent_http_address": ?"http://127\.0\.0\.1:(\d+)"')


def faults_of(seed: str) -> Faults:
    """Return what happens to the requests of one gate."""
    return Faults(chance_of(seed), SHARE, CUT_FOR_S)


class _Submitted(msgspec.Struct):
    submission_id: str


@dataclass
class CutPath:
    """The cut path to a Ray: its address for daftray, and what Ray was asked to submit through it."""

    seed: int
    url: str = ""
    gates: list[Gate] = field(default_factory=list[Gate])
    calls: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """``posted``, ``taken`` and ``looked``, each with a submission id, in the order in which Ray answered."""

    @contextmanager
    def to_server(self, port: int) -> Generator[str]:
        """Give the cut way by which runs report to a server."""
        with Gate(port, faults_of(f"reports/{self.seed}/{len(self.gates)}")) as gate:
            self.gates.append(gate)
            yield gate.url

    @property
    def hit(self) -> Counter[str]:
        return sum((gate.hit for gate in self.gates), Counter[str]())

    def violations(self) -> Iterator[str]:
        """Yield what was submitted more than once, or again without a look."""
        taken = Counter(job for call, job in self.calls if call == "taken")
        yield from (f"Ray took job {job} {times} times" for job, times in taken.items() if times > 1)
        last: dict[str, str] = {}
        for call, job in self.calls:
            if call == "posted" and last.get(job) in {"posted", "taken"}:
                yield f"job {job} was submitted again without a look whether it is there"
            last[job] = call

    def note(self, request: Request, answer: bytes) -> None:
        method, path, _ = request.line.split(" ")
        if (method, path) == ("POST", "/api/jobs/"):
            job = msgspec.json.decode(request.body, type=_Submitted).submission_id
            self.calls.append(("posted", job))
            if answer.startswith(b"HTTP/1.1 200"):
                self.calls.append(("taken", job))
        elif method == "GET" and path.startswith("/api/jobs/"):
            self.calls.append(("looked", path.removeprefix("/api/jobs/")))


@contextmanager
def cut_path(ray: RayView, seed: int) -> Generator[CutPath]:
    """Give a path to a Ray that is cut for a while, as the seed says."""
    path = CutPath(seed)
    agents: dict[bytes, bytes] = {}

    def through(found: re.Match[bytes]) -> bytes:
        """Send what is for an agent through a gate of its own, which is put up at the first word of it."""
        port = found[1]
        if port not in agents:
            gate = Gate(int(port), faults_of(f"agent/{seed}"))
            path.gates.append(stack.enter_context(gate))
            agents[port] = gate.url.rpartition(":")[2].encode()
        # The answer's length stands in its head already.
        return found[0].replace(port, agents[port]) if len(agents[port]) == len(port) else found[0]

    def looked_at(request: Request, answer: bytes) -> bytes:
        path.note(request, answer)
        return _AGENT.sub(through, answer)

    with ExitStack() as stack:
        gate = Gate(urlsplit(ray.url).port or 0, faults_of(f"dashboard/{seed}"), looked_at)
        path.gates.append(stack.enter_context(gate))
        path.url = gate.url
        yield path
