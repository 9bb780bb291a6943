"""What Ray's list of nodes says about what is free."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from daftray.adapters.rayjobs.jobs import RayJobsClient
from daftray.domain.cluster import TESTED_RAY, ClusterNode, ClusterResources
from daftray.domain.errors import ClusterRefusedError, ClusterUnreachableError

GIB = 1 << 30
MACHINE = [16.0 * GIB, 10.0 * GIB, 37.5, 6.0 * GIB]


def a_node(
    *, head: bool = False, state: str = "ALIVE", mem: list[float] | None = None, **total: float
) -> object:
    raylet = {
        "state": state,
        "isHeadNode": head,
        "nodeId": "ab",
        "nodeManagerAddress": "10.0.0.1",
        "resourcesTotal": {"node:10.0.0.1": 1.0, **total},
    }
    return {"raylet": raylet, "cpu": 3.1} | ({} if mem is None else {"mem": mem})


async def resources(nodes: list[object], claimed: dict[str, str] | None) -> ClusterResources:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        told = {"summary": nodes, "nodeLogicalResources": claimed or {}}
        return httpx.Response(200, json={"result": True, "msg": "", "data": told})

    async with RayJobsClient("http://ray.invalid", token=None, transport=httpx.MockTransport(answer)) as jobs:
        found = await jobs.resources()
    assert asked == ["http://ray.invalid/nodes?view=summary&nocache=1"], "without nocache it is an old answer"
    return found


async def test_all_living_nodes_count_and_only_the_heads_machine() -> None:
    nodes = [
        a_node(mem=[1.0, 1.0, 0.0, 0.0], CPU=16.0, GPU=2.0, memory=4.0 * GIB),
        a_node(head=True, mem=MACHINE, CPU=4.0, memory=8.0 * GIB),
        a_node(state="DEAD", mem=MACHINE, CPU=64.0),
    ]
    claimed = {
        "ab": "0.5/4.0 CPU\n1.50GiB/8.00GiB memory\n0B/2.00GiB object_store_memory",
        "cd": "3.0/16.0 CPU\n1.0/2.0 GPU\n0B/4.00GiB memory\n0.0/1.0 accelerator_type:A10G",
    }
    assert await resources(nodes, claimed) == ClusterResources(
        nodes=2,
        cpus=20,
        gpus=2,
        memory=12 * GIB,
        cpus_free=16.5,
        gpus_free=1,
        memory_free=int(10.5 * GIB),
        head_memory_total=16 * GIB,
        head_memory_free=10 * GIB,
    )


async def test_nodes_that_are_gone_come_last_with_the_reason() -> None:
    lost: dict[str, object] = {"nodeId": "cd", "state": "DEAD", "stateMessage": "It was lost."}
    worker: dict[str, object] = {
        "nodeId": "ef",
        "state": "ALIVE",
        "resourcesTotal": {"CPU": 16.0, "GPU": 2.0},
    }
    head = a_node(head=True, mem=MACHINE, CPU=4.0, memory=8.0 * GIB)
    told = {"summary": [{"raylet": lost}, {"raylet": worker}, head]}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"data": told}))
    async with RayJobsClient("http://ray.invalid", token=None, transport=transport) as jobs:
        assert await jobs.nodes() == (
            ClusterNode(
                id="ab",
                state="ALIVE",
                head=True,
                address="10.0.0.1",
                cpus=4,
                memory=8 * GIB,
                machine_memory_total=16 * GIB,
                machine_memory_free=10 * GIB,
            ),
            ClusterNode(id="ef", state="ALIVE", cpus=16, gpus=2),
            ClusterNode(id="cd", state="DEAD", detail="It was lost."),
        )


async def test_what_is_reserved_is_not_free_whether_it_is_used_or_not() -> None:
    text = (
        "2.0/8.0 CPU (1.0 used of 4.0 reserved in placement groups)\n"
        "512.00MiB/2.00GiB memory (512.00MiB used of 1.00GiB reserved in placement groups)"
    )
    found = await resources([a_node(CPU=8.0, memory=2.0 * GIB)], {"ab": text})
    assert (found.cpus_free, found.memory_free) == (3, GIB)


async def test_a_cluster_that_does_not_tell_what_is_free_says_what_it_has() -> None:
    found = await resources([a_node(head=True, mem=[], CPU=8.0)], None)
    assert found == ClusterResources(nodes=1, cpus=8)


async def test_a_head_that_has_just_started_is_asked_again() -> None:
    with pytest.raises(ClusterUnreachableError, match="still starting"):
        await resources([a_node(head=True, state="DEAD")], None)


async def test_another_answer_is_none_of_rays() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"data": {"summary": [{}]}}))
    async with RayJobsClient("http://ray.invalid", token=None, transport=transport) as jobs:
        with pytest.raises(ClusterRefusedError, match="none of Ray's job interface"):
            await jobs.resources()


def test_the_tested_release_is_the_one_that_is_asked_for() -> None:
    project = Path(__file__).parent.parent.parent / "pyproject.toml"
    assert f'"ray[default]>={TESTED_RAY},' in project.read_text(encoding="utf-8")
