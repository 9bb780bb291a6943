"""What a cluster has and what of it is free.

Asked of ``GET /nodes?view=summary``, the list behind the dashboard's page of nodes: the one place in Ray 2.59
that tells a node's state, its logical resources and the memory of its machine. What is claimed stands there
as in ``ray status`` (``parse_usage`` in ``ray/autoscaler/_private/util.py``). Ray knows it where an
autoscaler runs, or where the head has ``RAY_enable_autoscaler_v2=1``; elsewhere it is left out, and nothing
is said about what is free. The memory of machines is some three seconds old.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from daftray.adapters.rayjobs.rest import Rest
from daftray.adapters.rayjobs.wire import decode
from daftray.domain.cluster import ClusterNode, ClusterResources
from daftray.domain.errors import ClusterUnreachableError

_AMOUNT = r"([0-9.]+(?:e[+-]?[0-9]+)?)([KMGT]iB|B)?"
_USAGE = re.compile(
    rf"^{_AMOUNT}/{_AMOUNT} (CPU|GPU|memory)"
    rf"(?: \({_AMOUNT} used of {_AMOUNT} reserved in placement groups\))?$",
    re.MULTILINE,
)
_UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


class _Totals(msgspec.Struct, frozen=True):
    cpus: float = msgspec.field(name="CPU", default=0)
    gpus: float = msgspec.field(name="GPU", default=0)
    memory: float = 0


class _Raylet(msgspec.Struct, frozen=True, rename="camel"):
    node_id: str = ""
    state: str = ""
    state_message: str | None = None
    node_manager_address: str = ""
    is_head_node: bool = False
    resources_total: _Totals = _Totals()


class _Node(msgspec.Struct, frozen=True):
    raylet: _Raylet
    mem: list[float] = msgspec.field(default_factory=list[float])
    """Total, available, percent used, used, of the machine or its container. Empty until it reports."""


class _Nodes(msgspec.Struct, frozen=True, rename="camel"):
    summary: list[_Node]
    node_logical_resources: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class _Summary(msgspec.Struct, frozen=True):
    data: _Nodes


class Resources:
    """Reads them from one head."""

    def __init__(self, head: Rest) -> None:
        self._head = head

    async def read(self) -> ClusterResources:
        """Return what there is now.

        Raises:
            ClusterUnreachableError: no answer comes, or the head has just started and knows of no node.
            ClusterRefusedError: the cluster refuses.
        """
        nodes = await self._asked()
        alive = [node for node in nodes.summary if node.raylet.state == "ALIVE"]
        if not alive:
            raise ClusterUnreachableError(
                f"The head of the Ray cluster at {self._head.url} is still starting."
            )
        totals = [node.raylet.resources_total for node in alive]
        head = next((node.mem for node in alive if node.raylet.is_head_node), None)
        claimed = _claimed(nodes.node_logical_resources.values())
        cpus, gpus = sum(each.cpus for each in totals), sum(each.gpus for each in totals)
        memory = int(sum(each.memory for each in totals))
        return ClusterResources(
            nodes=len(alive),
            cpus=cpus,
            gpus=gpus,
            memory=memory,
            cpus_free=_free(cpus, claimed, "CPU"),
            gpus_free=_free(gpus, claimed, "GPU"),
            memory_free=None if claimed is None else int(max(0, memory - claimed.get("memory", 0))),
            head_memory_total=int(head[0]) if head else None,
            head_memory_free=int(head[1]) if head else None,
        )

    async def nodes(self) -> tuple[ClusterNode, ...]:
        """Return the nodes, the head first and those that are gone last. Raises as `read` does."""
        found = [_node(node) for node in (await self._asked()).summary]
        return tuple(sorted(found, key=lambda node: (not node.alive, not node.head, node.address, node.id)))

    async def _asked(self) -> _Nodes:
        # Without `nocache` the answer may be minutes old: Ray gives the last one, and asks for the next.
        query = {"view": "summary", "nocache": 1}
        return decode(await self._head.get("/nodes", query=query), _Summary).data


def _node(node: _Node) -> ClusterNode:
    raylet, total = node.raylet, node.raylet.resources_total
    return ClusterNode(
        id=raylet.node_id,
        state=raylet.state,
        head=raylet.is_head_node,
        address=raylet.node_manager_address,
        cpus=total.cpus,
        gpus=total.gpus,
        memory=int(total.memory),
        machine_memory_total=int(node.mem[0]) if node.mem else None,
        machine_memory_free=int(node.mem[1]) if node.mem else None,
        detail=raylet.state_message or "",
    )


def _free(total: float, claimed: dict[str, float] | None, name: Literal["CPU", "GPU"]) -> float | None:
    return None if claimed is None else max(0.0, round(total - claimed.get(name, 0), 4))


def _claimed(nodes: Iterable[str]) -> dict[str, float] | None:
    """Return what is claimed on all nodes together, by resource; None where Ray does not tell.

    >>> _claimed(["1.0/4.0 CPU (0.5 used of 2.0 reserved in placement groups)"])
    {'CPU': 2.5}
    """
    told = list(nodes)
    claimed: dict[str, float] = {}
    for used, used_unit, _, _, name, in_use, in_use_unit, reserved, reserved_unit in (
        match for text in told for match in _USAGE.findall(text)
    ):
        # Ray counts only what is used of a reservation; nobody else can have the rest of it.
        idle = _amount(reserved, reserved_unit) - _amount(in_use, in_use_unit) if reserved else 0
        claimed[name] = claimed.get(name, 0) + _amount(used, used_unit) + idle
    return claimed if told else None


def _amount(number: str, unit: str) -> float:
    return float(number) * _UNITS[unit]
