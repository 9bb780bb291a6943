"""What Ray itself says of the runs: its jobs, and the processes that still carry a run's id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import psutil

_ENDED = {"SUCCEEDED", "FAILED", "STOPPED"}


class RayJobRecord(msgspec.Struct, frozen=True):
    submission_id: str | None = None
    status: str = ""
    metadata: dict[str, str] | None = None

    @property
    def ended(self) -> bool:
        return self.status in _ENDED


@dataclass(frozen=True)
class RayView:
    """A cluster, asked without daftray."""

    url: str
    token: str

    def actors(self) -> set[str]:
        """Return the actors that are not dead."""
        return {
            f"actor {actor.get('class_name')} {actor['actor_id']} {actor['state']}"
            for actor in self._states("actors")
            if actor["state"] != "DEAD"
        }

    def placement_groups(self) -> set[str]:
        """Return the placement groups that are there, or wait to be."""
        return {
            f"placement group {group.get('name')} {group['placement_group_id']} {group['state']}"
            for group in self._states("placement_groups")
            if group["state"] != "REMOVED"
        }

    def _states(self, kind: str) -> list[dict[str, Any]]:  # Any: JSON
        answer = self._get(f"/api/v0/{kind}?detail=1&limit=10000")
        return msgspec.json.decode(answer)["data"]["result"]["result"]

    def jobs(self) -> list[RayJobRecord]:
        return msgspec.json.decode(self._get("/api/jobs/"), type=list[RayJobRecord])

    def _get(self, path: str) -> bytes:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.get(self.url + path, headers=headers, timeout=30, trust_env=False)
        answer.raise_for_status()
        return answer.content

    def jobs_of(self, run_id: str) -> list[RayJobRecord]:
        """Return the jobs of a run, those that only help to end it included."""
        return [job for job in self.jobs() if (job.submission_id or "").startswith(run_id)]


def processes_of(run_ids: set[str]) -> dict[str, list[str]]:
    """Return the living processes of runs, by run: what each was started as."""
    found: dict[str, list[str]] = {}
    for process in psutil.process_iter():
        try:
            run_id = process.environ().get("DAFTRAY_RUN_ID", "")
            if run_id in run_ids and process.status() != psutil.STATUS_ZOMBIE:
                found.setdefault(run_id, []).append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
        except psutil.Error:
            continue
    return found
