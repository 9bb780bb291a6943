"""The embedded Ray: one head on loopback, for whoever has no cluster yet.

It is started from the interpreter that runs the server, with a token of its own, and watched: a head that
dies is started anew at the same address with the same token. A server that was killed leaves it running;
the next one adopts it. It ends with the server unless it is to be kept.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from pathlib import Path

from daftray.adapters.rayjobs.jobs import RayJobsClient, Timeouts
from daftray.domain.errors import ClusterError, ClusterUnreachableError
from daftray.server.port_owner import is_only_ours
from daftray.server.ray_command import port_is_free
from daftray.server.ray_head import RayHead

log = logging.getLogger(__name__)

START_WITHIN_S = 90.0
_STARTS = 3
"""Tries of a first start: each with another port, should somebody else have taken one meanwhile."""
_START_POLL_S = 0.1
_ADOPTION_TRIES = 5
"""A head that is slow to answer on a busy machine may have runs on it that would be lost with it."""
_WATCH_S = 1.0
_LOOKS_PER_CHECK = 5
_SILENT_FOR_S = 60.0
"""A head that does not answer for so long is started anew; a busy machine makes it slow, not dead."""
_FIRST_DELAY_S, _LONGEST_DELAY_S, _STEADY_AFTER_S = 1.0, 30.0, 120.0
"""Between restarts in a row; a head that was steady for two minutes is started at once."""
_QUICK = Timeouts(connect_s=2, read_s=5)


@dataclass(frozen=True, kw_only=True)
class LocalCluster:
    """The embedded cluster, ready for jobs. ``session`` changes whenever the head starts anew."""

    url: str
    token: str = field(repr=False)
    python_version: str
    session: str


class LocalRay:
    """The embedded Ray of a data folder. ``keep`` leaves it running when the server ends."""

    def __init__(self, *, data_dir: Path, keep: bool, num_cpus: int | None = None) -> None:
        self._keep = keep
        self._head = RayHead(data_dir, num_cpus=num_cpus)
        self._token = ""
        self._port: int = 0
        self._spawning: asyncio.Task[None] | None = None

    async def start(self) -> LocalCluster:
        """Adopt the head that still runs, or start one.

        Raises:
            ClusterUnreachableError: Ray is not installed or does not start; it says why.
        """
        self._token = await asyncio.to_thread(self._head.prepare)
        try:
            return await self._adopt() or await self._first_launch()
        except BaseException:  # cancellation as well: nothing may be left of a start that was given up
            await self._end()
            raise

    async def watch(self) -> None:
        """Start the head anew whenever it dies or falls silent. Runs until it is cancelled."""
        clock = asyncio.get_running_loop().time
        last_answer = last_start = clock()
        delay, looks = 0.0, 0
        while True:
            await asyncio.sleep(_WATCH_S)
            looks += 1
            alive = await asyncio.to_thread(self._head.alive)
            if alive and looks % _LOOKS_PER_CHECK == 0 and await self._answers():
                last_answer = clock()
                await asyncio.to_thread(self._head.note_processes)
            if alive and clock() - last_answer < _SILENT_FOR_S:
                continue
            log.error("the embedded Ray head %s and is started anew", "is silent" if alive else "has died")
            delay = 0.0 if clock() - last_start > _STEADY_AFTER_S else delay
            await asyncio.sleep(delay)
            delay = min(max(delay * 2, _FIRST_DELAY_S), _LONGEST_DELAY_S)
            try:
                await self._launch()
            except ClusterUnreachableError as exc:
                log.error("%s", exc.detail)  # noqa: TRY400 (the detail says it all)
            last_answer = last_start = clock()

    async def stop(self) -> None:
        """End the head and everything that came of it, within some four seconds, unless it is to be kept."""
        if self._keep:
            await asyncio.to_thread(self._head.note_processes)
            return
        await self._end()
        await asyncio.to_thread(self._head.remove_files)

    async def _adopt(self) -> LocalCluster | None:
        record = await asyncio.to_thread(self._head.recorded)
        if record is None:
            return None
        self._port = record.dashboard_port
        if not await asyncio.to_thread(self._head.adopt, record):
            return None
        for _ in range(_ADOPTION_TRIES):
            try:
                cluster = await self._cluster()
            except ClusterUnreachableError:
                await asyncio.sleep(_WATCH_S)
            except ClusterError:
                return None  # another token, or no Ray at all
            else:
                log.info("adopted the embedded Ray head at %s", cluster.url)
                return cluster
        return None

    async def _first_launch(self) -> LocalCluster:
        """Start a head at the address that the last one had, or else at one that is free."""
        for _ in range(_STARTS - 1):
            self._port = await asyncio.to_thread(self._head.choose_port, self._port)
            try:
                return await self._launch()
            except ClusterUnreachableError:
                if await asyncio.to_thread(port_is_free, self._port):
                    raise  # it was not the port
        self._port = await asyncio.to_thread(self._head.choose_port, self._port)
        return await self._launch()

    async def _launch(self) -> LocalCluster:
        """Clear away what is left of an older head, start one and wait until it answers."""
        await self._end()
        await asyncio.to_thread(self._head.prepare)
        self._spawning = asyncio.create_task(asyncio.to_thread(self._head.spawn, self._port))
        await asyncio.shield(self._spawning)
        try:
            cluster = await self._first_answer()
        except ClusterUnreachableError as exc:
            await self._end()
            raise ClusterUnreachableError(
                f"The embedded Ray head did not start: {exc.detail}\nIts output is in {self._head.log_path}. "
                "daftray works with a Ray cluster of yours as well: --ray http://HOST:8265."
            ) from exc
        await asyncio.to_thread(self._head.note_processes)
        log.info("started the embedded Ray head at %s", cluster.url)
        return cluster

    async def _first_answer(self) -> LocalCluster:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_WITHIN_S
        why = ClusterUnreachableError()
        while loop.time() < deadline:
            if not self._head.alive():
                raise ClusterUnreachableError(await asyncio.to_thread(self._head.last_output)) from why
            try:
                return await self._cluster()
            except ClusterError as exc:
                why = ClusterUnreachableError(exc.detail)
                await asyncio.sleep(_START_POLL_S)
        raise why

    async def _end(self) -> None:
        if self._spawning is not None and not self._spawning.done():
            # A launch that was cancelled meanwhile: what its thread is about to start has to end as well.
            await asyncio.wait({self._spawning})
        left = await asyncio.to_thread(self._head.end)
        if left:
            log.warning("these processes of the embedded Ray could not be ended: %s", left)

    async def _cluster(self) -> LocalCluster:
        """Return the cluster as it answers now. Raises `ClusterError`."""
        if not await asyncio.to_thread(is_only_ours, self._port):
            raise ClusterUnreachableError(
                f"Nobody listens on port {self._port}, or another user of this machine does, who is not told "
                "the token."
            )
        url = f"http://127.0.0.1:{self._port}"
        async with RayJobsClient(url, token=self._token, timeouts=_QUICK) as client:
            info = await client.info()
        return LocalCluster(
            url=url, token=self._token, python_version=info.python_version, session=info.session
        )

    async def _answers(self) -> bool:
        try:
            await self._cluster()
        except ClusterError:
            return False
        return True
