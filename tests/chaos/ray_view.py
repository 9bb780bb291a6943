"""What Ray itself says of the runs: its jobs, and the processes that still carry a run's id."""

from __future__ import annotations

from dataclasses import dataclass

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

    def jobs(self) -> list[RayJobRecord]:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.get(f"{self.url}/api/jobs/", headers=headers, timeout=30, trust_env=False)
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=list[RayJobRecord])

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
