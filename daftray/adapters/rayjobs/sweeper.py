"""Ends whatever a job still holds on its cluster or has left there.

Ray's stop ends a driver that runs, and its descendants. It leaves alone what is detached, what has left the
driver's process tree, and, for a quarter of an hour, the supervisor of a job that waits for resources. REST
shows some of these and ends none, so that a small job of our own goes to the driver's node: `sweep_job`. It
claims no CPU. On an idle machine of two cores it takes four seconds, most of them to start; so it is sent
only where something is left or may be, and sweeps that come together share one.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

import msgspec

from daftray.adapters.rayjobs.leftovers import StateApi
from daftray.adapters.rayjobs.patience import patiently
from daftray.adapters.rayjobs.rest import Rest
from daftray.domain.cluster import Job, JobStatus, JobSubmission
from daftray.domain.errors import (
    ClusterError,
    ClusterRefusedError,
    ClusterUnreachableError,
    JobNotFoundError,
)
from daftray.domain.ids import Ids

BUDGET_S = 12.0
_POLL_S = 0.2
_GATHER_S = 0.1
"""How long the first of several sweeps waits for more of them."""
_TAKEN_WITHIN_S = 5.0
"""Ray takes a job in a second at most, unless it is overloaded."""
_MOST_TOGETHER = 100
_SEEN_WITHIN_S = 3.0
"""Ray looks once a second whether the supervisor of a job is dead."""
_SOMETHING_LEFT = 3
"""The exit code of `sweep_job` that says so."""
_TRIES, _TRY_AGAIN_S = 12, 5.0
"""A minute for a helper that was given up to end after all, so that its record can go."""

_Left = dict[str, list[str]]


class _Jobs(Protocol):
    async def submit(self, submission: JobSubmission) -> None: ...
    async def get(self, submission_id: str) -> Job: ...
    async def stop(self, submission_id: str) -> None: ...
    async def delete(self, submission_id: str) -> None: ...


@dataclass(kw_only=True, eq=False)
class _Sweep:
    """One that is asked for. ``outcome`` is what is left of the job, or why that is not known."""

    submission_id: str
    processes: bool
    outcome: tuple[str, ...] | ClusterError | None = None


@dataclass(eq=False)
class _Node:
    """The sweeps of one node: one of them takes along all that wait."""

    waiting: list[_Sweep] = field(default_factory=list[_Sweep])
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sweeper:
    """Sweeps jobs of one cluster."""

    def __init__(self, jobs: _Jobs, head: Rest, ids: Ids) -> None:
        self._jobs = jobs
        self._url = head.url
        self._state = StateApi(head)
        self._ids = ids
        self._nodes: dict[str | None, _Node] = {}
        self._tidying: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Give up what still waits to be tidied away."""
        for task in self._tidying:
            task.cancel()
        await asyncio.gather(*self._tidying, return_exceptions=True)

    async def sweep(self, submission_id: str, *, processes: bool) -> tuple[str, ...]:
        """Return what of a job could not be ended; the job itself has ended, where it is not in that.

        Raises:
            ClusterUnreachableError: it was not done in twelve seconds.
            ClusterRefusedError: it could not be done.
        """
        try:
            async with asyncio.timeout(BUDGET_S):
                return await self._sweep(submission_id, processes=processes)
        except TimeoutError as exc:
            raise ClusterUnreachableError(
                f"The cluster at {self._url} did not clear away what job {submission_id} left, in "
                f"{BUDGET_S:.0f} s: is it overloaded?"
            ) from exc

    async def _sweep(self, submission_id: str, *, processes: bool) -> tuple[str, ...]:
        job = await self._found(submission_id)
        over = job is None or job.status.terminal
        node_id = None if job is None else job.node_id
        if job is not None and job.status is JobStatus.RUNNING:
            # The helper starts meanwhile, which takes about as long as a driver has to end politely.
            with contextlib.suppress(JobNotFoundError):
                await patiently(lambda: self._jobs.stop(submission_id))
        if job is not None and over and node_id is None:
            processes = False  # it never had a driver that could have left any
        if node_id is not None and not await self._is_alive(node_id):
            node_id, processes = None, False  # they went with their node
        if over and not processes:
            within_s = BUDGET_S  # many calls, of which each may take its time
            if not await patiently(lambda: self._state.anything_left(submission_id), within_s=within_s):
                return ()
        left = await self._by_helper(node_id, _Sweep(submission_id=submission_id, processes=processes))
        try:
            async with asyncio.timeout(_SEEN_WITHIN_S):
                await self._end_of(submission_id)
        except TimeoutError:
            return (*left, "its Ray job, which has not ended")
        return left

    async def _is_alive(self, node_id: str) -> bool:
        return await patiently(lambda: self._state.is_alive(node_id))

    async def _found(self, submission_id: str) -> Job | None:
        """Return a job; none where the head has forgotten it: its processes may go on."""
        try:
            return await self._jobs.get(submission_id)
        except JobNotFoundError:
            return None

    async def _end_of(self, submission_id: str) -> Job | None:
        """Wait for a job's end."""
        while True:
            job = await patiently(lambda: self._found(submission_id))
            if job is None or job.status.terminal:
                return job
            await asyncio.sleep(_POLL_S)

    async def _by_helper(self, node_id: str | None, mine: _Sweep) -> tuple[str, ...]:
        node = self._nodes.setdefault(node_id, _Node())
        node.waiting.append(mine)
        try:
            await asyncio.sleep(_GATHER_S)
            async with node.turn:
                if mine.outcome is None:
                    await self._lead(node_id, node)
        finally:
            if mine in node.waiting:
                node.waiting.remove(mine)
            if not node.waiting and not node.turn.locked():
                self._nodes.pop(node_id, None)
        if isinstance(mine.outcome, ClusterError):
            raise mine.outcome
        return mine.outcome or ()

    async def _lead(self, node_id: str | None, node: _Node) -> None:
        """Send one helper for all that wait. A leader that is cut off leaves the others to the next one."""
        together, node.waiting = node.waiting[:_MOST_TOGETHER], node.waiting[_MOST_TOGETHER:]
        try:
            left = await self._send(node_id, together)
        except ClusterError as exc:
            for each in together:
                each.outcome = exc
        except BaseException:
            node.waiting = together + node.waiting
            raise
        else:
            for each in together:
                each.outcome = tuple(left.get(each.submission_id, ()))

    async def _send(self, node_id: str | None, together: list[_Sweep]) -> _Left:
        asked = {each.submission_id: False for each in together}
        asked |= {each.submission_id: True for each in together if each.processes}
        helper = f"daftray-sweep-{self._ids.token()}"
        argument = msgspec.json.encode(asked).decode()
        submission = JobSubmission(
            submission_id=helper,
            entrypoint=f"exec python -c {shlex.quote(_script())} {shlex.quote(argument)}",
            runtime_env={},
            metadata={"daftray_helper": "sweep"},
            node_id=node_id,
        )
        try:
            await self._submit(submission)
            return _told(await self._end_of(helper))
        finally:
            task = asyncio.create_task(self._tidy(helper))
            self._tidying.add(task)
            task.add_done_callback(self._tidying.discard)

    async def _submit(self, helper: JobSubmission) -> None:
        """Submit a helper; where the answer is lost, look whether it is there before it is sent again."""
        while True:
            with contextlib.suppress(ClusterUnreachableError, TimeoutError):
                async with asyncio.timeout(_TAKEN_WITHIN_S):
                    await self._jobs.submit(helper)
                return
            if await patiently(lambda: self._found(helper.submission_id)) is not None:
                return

    async def _tidy(self, helper: str) -> None:
        """Delete the record of a helper, once it has ended: it may have been given up."""
        for _ in range(_TRIES):
            try:
                await self._jobs.delete(helper)
            except ClusterError:
                await asyncio.sleep(_TRY_AGAIN_S)
            else:
                return


def _told(helper: Job | None) -> _Left:
    """Return what a helper says is left. Raises `ClusterRefusedError` where it failed."""
    if helper is None:
        raise ClusterRefusedError("The cluster lost the job that was to clear away what was left on it.")
    if helper.status is JobStatus.SUCCEEDED:
        return {}
    # The last lines that it printed are in Ray's message.
    last = (helper.message.strip().splitlines() or ["it gave no reason"])[-1].strip()
    if helper.exit_code == _SOMETHING_LEFT:
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(last, type=_Left)
    raise ClusterRefusedError(f"What was left on the cluster could not be cleared away: {last}")


@cache
def _script() -> str:
    return Path(__file__).with_name("sweep_job.py").read_text(encoding="utf-8")
