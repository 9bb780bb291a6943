"""Ends what jobs have left on their cluster. It runs there, as a small Ray job of its own.

The server never imports it: it sends its text (see `daftray.adapters.rayjobs.sweeper`). So nothing of daftray
is in it. It asks the GCS as Ray's state API does (``gcs_service.proto`` of Ray 2.59), and not through
``ray.init``: that would take a second longer, and ``ray.kill`` reaches only actors that have a name.

One argument, JSON: submission ids, and for each whether its processes on this node are to be ended as well.
Exit code 0 says that nothing is left; 3 that the last line printed holds what is, by submission id.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from ray._private.grpc_utils import init_grpc_channel
from ray.core.generated import gcs_pb2, gcs_service_pb2, gcs_service_pb2_grpc

# isort: split
import psutil  # Ray brings it along, in a folder that it puts on the path when it is imported

GRACE_S = 2.0
"""How long a supervisor that is alive may go on: Ray's stop, asked for before, takes three seconds."""
PATIENCE_S = 6.0
"""After so long, what is still there is said to be left."""
POLITE_S = 1.0
"""Between SIGTERM and SIGKILL."""
PAUSE_S = 0.1
CALL_S = 3.0
LONGEST_REPORT = 20
"""Things told for each job. Ray keeps the last 20,000 characters of what a failed job printed."""

# Names of ray/dashboard/modules/job/common.py: JOB_ACTOR_NAME_TEMPLATE, SUPERVISOR_ACTOR_RAY_NAMESPACE.
SUPERVISOR = "_ray_internal_job_actor_"
NAMESPACE = "SUPERVISOR_ACTOR_RAY_NAMESPACE"
INSTALLER = "ray::RuntimeEnvAgent"

# Ray's protocol buffers have no types that a checker could read.
_MESSAGES: Any = gcs_service_pb2
_SERVICES: Any = gcs_service_pb2_grpc
_TABLES: Any = gcs_pb2
_CONNECT: Any = init_grpc_channel


class Gcs:
    """The cluster's own table of what there is. Every call raises ``grpc.RpcError`` after three seconds."""

    def __init__(self, address: str) -> None:
        channel: Any = _CONNECT(address)
        self._jobs = _SERVICES.JobInfoGcsServiceStub(channel)
        self._actors = _SERVICES.ActorInfoGcsServiceStub(channel)
        self._groups = _SERVICES.PlacementGroupInfoGcsServiceStub(channel)

    def supervisor(self, submission_id: str) -> Any | None:
        """Return the actor that starts the job's driver and watches it, unless it is dead."""
        asked = _MESSAGES.GetNamedActorInfoRequest(name=SUPERVISOR + submission_id, ray_namespace=NAMESPACE)
        actor = self._actors.GetNamedActorInfo(asked, timeout=CALL_S).actor_table_data
        return actor if actor.actor_id and actor.state != _TABLES.ActorTableData.DEAD else None

    def ray_jobs(self, submission_id: str) -> set[bytes]:
        """Return the ids of all Ray jobs of a submission: one for each call of ``ray.init``."""
        asked = _MESSAGES.GetAllJobInfoRequest(
            job_or_submission_id=submission_id,
            skip_submission_job_info_field=True,
            skip_is_running_tasks_field=True,
        )
        return {
            job.job_id
            for job in self._jobs.GetAllJobInfo(asked, timeout=CALL_S).job_info_list
            if job.config.metadata.get("job_submission_id") == submission_id
        }

    def actors(self, ray_job: bytes) -> list[Any]:
        """Return the actors of a Ray job that are not dead."""
        asked = _MESSAGES.GetAllActorInfoRequest(filters={"job_id": ray_job}, show_dead_jobs=True)
        found = self._actors.GetAllActorInfo(asked, timeout=CALL_S).actor_table_data
        return [actor for actor in found if actor.state != _TABLES.ActorTableData.DEAD]

    def groups(self) -> list[Any]:
        """Return the placement groups that are not removed."""
        found = self._groups.GetAllPlacementGroup(
            _MESSAGES.GetAllPlacementGroupRequest(), timeout=CALL_S
        ).placement_group_table_data
        return [group for group in found if group.state != _TABLES.PlacementGroupTableData.REMOVED]

    def kill(self, actor: Any) -> None:
        """End an actor, whatever state it is in; one that is dead is fine."""
        asked = _MESSAGES.KillActorViaGcsRequest(actor_id=actor.actor_id, force_kill=True, no_restart=True)
        self._actors.KillActorViaGcs(asked, timeout=CALL_S)

    def remove(self, group: Any) -> None:
        """Remove a placement group; one that is removed is fine."""
        asked = _MESSAGES.RemovePlacementGroupRequest(placement_group_id=group.placement_group_id)
        self._groups.RemovePlacementGroup(asked, timeout=CALL_S)


class Processes:
    """The processes on this node that jobs left, by the variables that daftray sets in every run.

    ``installing`` are those by which Ray installs a job's dependencies. They are left alone: Ray would start
    each one anew, twice; and what they make it keeps for the next job with the same dependencies.
    """

    def __init__(self) -> None:
        me = psutil.Process()
        self._ours = {me.pid, *(parent.pid for parent in me.parents())}
        self._asked_at: dict[psutil.Process, float] = {}
        self.installing: dict[str, list[str]] = {}

    def find(self, submission_ids: Iterable[str]) -> dict[str, list[psutil.Process]]:
        """Return them by the attempt that they belong to. Ray's own workers are not among them.

        (Ray renames its workers, which wipes their environment on Linux; they end with their job.)
        """
        found: dict[str, list[psutil.Process]] = {submission_id: [] for submission_id in submission_ids}
        self.installing = {}
        for process in psutil.process_iter():
            try:
                environ = {} if process.pid in self._ours else process.environ()
                attempt = f"{environ.get('DAFTRAY_RUN_ID')}-{environ.get('DAFTRAY_ATTEMPT')}"
                if attempt not in found:
                    continue
                if any(INSTALLER in parent.cmdline() for parent in process.parents()):
                    told = f"process {process.pid}, by which Ray installs its dependencies; it ends by itself"
                    self.installing.setdefault(attempt, []).append(told)
                else:
                    found[attempt].append(process)
            except (psutil.Error, OSError):  # gone, a zombie, or another user's
                continue
        return found

    def end(self, process: psutil.Process) -> str:
        """Ask a process to end, or kill it where it was asked before; return what to call it."""
        name = f"process {process.pid}"
        try:
            name = f"process {process.pid} ({process.name()})"  # not its arguments, which may hold secrets
            if time.monotonic() - self._asked_at.setdefault(process, time.monotonic()) < POLITE_S:
                process.terminate()
            else:
                process.kill()
        except psutil.NoSuchProcess:
            pass
        except psutil.Error as exc:
            name += f": {type(exc).__name__}"
        return name


def sweep(gcs: Gcs, asked: Mapping[str, bool]) -> dict[str, list[str]]:
    """End what the jobs left; return what is still there when nothing more comes of it."""
    started, processes = time.monotonic(), Processes()
    while True:
        waited = time.monotonic() - started
        left = _end_once(gcs, processes, asked, in_grace=waited < GRACE_S)
        if not left or waited > PATIENCE_S:
            return {
                name: things
                for name in asked
                if (things := left.get(name, []) + processes.installing.get(name, []))
            }
        time.sleep(PAUSE_S)


def _end_once(
    gcs: Gcs, processes: Processes, asked: Mapping[str, bool], *, in_grace: bool
) -> dict[str, list[str]]:
    """Look for what is there, end each thing, and return it: only a look that finds nothing shows the end."""
    groups = gcs.groups()
    found = processes.find(name for name, theirs_too in asked.items() if theirs_too)
    left: dict[str, list[str]] = {}
    for name in asked:
        supervisor = gcs.supervisor(name)
        if supervisor is not None:
            left[name] = ["the supervisor of its driver"]
            if supervisor.state == _TABLES.ActorTableData.ALIVE and in_grace:
                continue  # it is ending the driver, politely
            gcs.kill(supervisor)
        there = _end_on_ray(gcs, name, groups) + [processes.end(each) for each in found.get(name, ())]
        if there:
            left[name] = left.get(name, []) + there
    return left


def _end_on_ray(gcs: Gcs, submission_id: str, groups: Iterable[Any]) -> list[str]:
    ended: list[str] = []
    ray_jobs = gcs.ray_jobs(submission_id)
    for actor in [actor for ray_job in ray_jobs for actor in gcs.actors(ray_job)]:
        gcs.kill(actor)
        ended.append(f"actor {actor.name or actor.actor_id.hex()} ({actor.class_name})")
    for group in groups:
        if group.creator_job_id in ray_jobs:
            gcs.remove(group)
            ended.append(f"placement group {group.name or group.placement_group_id.hex()}")
    return ended


def main(argument: str) -> int:
    """Sweep, print what is left, and return the exit code."""
    left = sweep(Gcs(os.environ["RAY_ADDRESS"]), json.loads(argument))
    if not left:
        return 0
    print(json.dumps({name: things[:LONGEST_REPORT] for name, things in left.items()}), flush=True)  # noqa: T201 (Ray keeps it)
    return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
