"""A look at what a job has left on its cluster, over Ray's state API: it takes some milliseconds.

It sees actors, placement groups and the job's supervisor, but no processes. In doubt it says yes.
"""

from __future__ import annotations

import asyncio
from typing import TypeVar

import msgspec

from daftray.adapters.rayjobs.rest import Rest
from daftray.adapters.rayjobs.wire import JobDetails, decode
from daftray.domain.errors import JobNotFoundError

SUPERVISOR = "_ray_internal_job_actor_"
"""How the name of a job's supervisor begins (``JOB_ACTOR_NAME_TEMPLATE`` in ``job/common.py``)."""
_THERE = ("DEPENDENCIES_UNREADY", "PENDING_CREATION", "ALIVE", "RESTARTING")
"""Asked for one by one: only "=" is filtered before Ray cuts its list, which may be long of dead actors."""
_MOST = 10_000
"""What Ray gives at once at most."""
_MOST_JOBS = 50
_TIMEOUT_S = 5

Row = TypeVar("Row")


class _Actor(msgspec.Struct, frozen=True):
    state: str
    job_id: str
    name: str | None = None


class _Group(msgspec.Struct, frozen=True):
    state: str
    creator_job_id: str


class _Node(msgspec.Struct, frozen=True):
    node_id: str


class _Rows(msgspec.Struct, frozen=True):
    result: list[msgspec.Raw]
    total: int
    num_after_truncation: int


class _Data(msgspec.Struct, frozen=True):
    result: _Rows


class _Listed(msgspec.Struct, frozen=True):
    data: _Data


class StateApi:
    """Ray's list of what there is (``/api/v0``). Raises `ClusterUnreachableError`, `ClusterRefusedError`."""

    def __init__(self, head: Rest) -> None:
        self._head = head

    async def anything_left(self, submission_id: str) -> bool:
        """Tell whether actors, placement groups or the supervisor of a job are there, or may be."""
        listed, (groups, cut) = await asyncio.gather(
            asyncio.gather(*(self._list("actors", _Actor, state) for state in _THERE)),
            self._list("placement_groups", _Group),
        )
        found = [actor for some, _ in listed for actor in some]
        if any(actor.name == SUPERVISOR + submission_id for actor in found):
            return True
        ray_jobs = {actor.job_id for actor in found if not (actor.name or "").startswith(SUPERVISOR)}
        ray_jobs |= {group.creator_job_id for group in groups if group.state != "REMOVED"}
        if len(ray_jobs) > _MOST_JOBS or cut or any(short for _, short in listed):
            return True
        return submission_id in await asyncio.gather(*map(self._submission_of, sorted(ray_jobs)))

    async def is_alive(self, node_id: str) -> bool:
        """Tell whether a node of the cluster is alive."""
        nodes, _ = await self._list("nodes", _Node, "ALIVE")
        return any(node.node_id == node_id for node in nodes)

    async def _submission_of(self, ray_job: str) -> str | None:
        """Return the submission that a Ray job belongs to: Ray takes either id, and tells both.

        A submission's own record names but the last of its Ray jobs.
        """
        try:
            answer = await self._head.get(f"/api/jobs/{ray_job}", job=ray_job)
        except JobNotFoundError:  # one of Ray's own
            return None
        return decode(answer, JobDetails).submission_id

    async def _list(self, what: str, row: type[Row], state: str | None = None) -> tuple[list[Row], bool]:
        """Return what there is of a kind, and whether Ray has cut the list."""
        query: dict[str, str | int] = {"limit": _MOST, "timeout": _TIMEOUT_S}
        if state is not None:
            query |= {"filter_keys": "state", "filter_predicates": "=", "filter_values": state}
        rows = decode(await self._head.get(f"/api/v0/{what}", query=query), _Listed).data.result
        return [decode(each, row) for each in rows.result], rows.total > rows.num_after_truncation
