"""A Ray of a test's own, whose head is killed, and started anew at the same address by its watch."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Coroutine, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
from chaos.ray_view import RayView

from daftray.server.local_ray import LocalCluster, LocalRay
from daftray.server.ray_command import MARKER

Answer = TypeVar("Answer")

START_TIMEOUT_S = 120.0
BACK_WITHIN_S = 120.0
_VITAL = {"gcs_server", "raylet"}


@dataclass
class WatchedRay:
    """A running head, and the loop in which it is watched."""

    cluster: LocalCluster
    _loop: asyncio.AbstractEventLoop
    _marker: str

    @property
    def view(self) -> RayView:
        return RayView(self.cluster.url, self.cluster.token)

    def kill_head(self) -> None:
        """Kill what makes a head of it: the GCS and the raylet, and nothing else."""
        killed = [process for process in self._processes() if process.name() in _VITAL]
        assert {process.name() for process in killed} == _VITAL
        for process in killed:
            with suppress(psutil.NoSuchProcess):  # a raylet ends by itself soon after its GCS
                process.send_signal(signal.SIGKILL)

    def session(self) -> str | None:
        """Return the session of the head that answers, None where none does."""
        headers = {"Authorization": f"Bearer {self.cluster.token}"}
        with suppress(httpx.HTTPError):
            answer = httpx.get(f"{self.cluster.url}/api/version", headers=headers, timeout=2, trust_env=False)
            if answer.is_success:
                return str(answer.json()["session_name"])
        return None

    def wait_until_back(self) -> None:
        """Wait until another head answers than the one of the start."""
        deadline = time.monotonic() + BACK_WITHIN_S
        while (session := self.session()) is None or session == self.cluster.session:
            assert time.monotonic() < deadline, "the head did not come back"
            time.sleep(0.1)

    def _processes(self) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARKER) == self._marker:
                    found.append(process)
        return found


@contextmanager
def watched_ray(folder: Path) -> Generator[WatchedRay]:
    """Run a head that is started anew when it dies."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="ray watch")
    thread.start()

    def run(work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, loop).result(START_TIMEOUT_S)

    ray = LocalRay(data_dir=folder, keep=False, num_cpus=4)
    try:
        cluster = run(ray.start())
        watch = asyncio.run_coroutine_threadsafe(ray.watch(), loop)
        try:
            yield WatchedRay(cluster, loop, str(ray._head._layout.root))
        finally:
            watch.cancel()
            run(ray.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
