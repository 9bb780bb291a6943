"""Carries every run to its end: claims what is due, takes its next step, saves what became of it.

One task drives one claimed run, step after step, until the run is done or parked. No transaction is open
while a step runs; what a step of a lost claim brought is dropped, and whoever holds the claim now takes
the step again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from daftray.domain.errors import DaftrayError, RunNotFoundError, StaleClaimError
from daftray.domain.run import Run
from daftray.domain.status import RunPhase
from daftray.logs.signals import LogSignals
from daftray.runs import ending, observing, steps
from daftray.runs.context import StepContext, StepOutcome
from daftray.runs.wake import Wake

log = logging.getLogger(__name__)

POLL_S = 1.0
"""How often due runs are looked for when nothing wakes us."""
BATCH = 50
MOST_DRIVEN = 500
"""Runs that one process drives at a time; the others stay due in the database."""
LET_GO_FOR = timedelta(seconds=2)
"""How long a run is left alone whose failure could not even be written down."""

Step = Callable[[Run, StepContext], Awaitable[StepOutcome]]

STEPS: dict[RunPhase, Step] = {
    RunPhase.PINNING: steps.pin,
    RunPhase.QUEUED: steps.queue,
    RunPhase.PREPARING: steps.prepare,
    RunPhase.SUBMITTING: steps.submit,
    RunPhase.INSTALLING: observing.observe,
    RunPhase.STARTING: observing.observe,
    RunPhase.RUNNING: observing.observe,
    RunPhase.CANCELLING: ending.cancel,
    RunPhase.HARVESTING: ending.harvest,
}
_BEFORE_CLUSTER = {RunPhase.QUEUED, RunPhase.PREPARING, RunPhase.SUBMITTING}
_LOOKS = {RunPhase.INSTALLING, RunPhase.STARTING, RunPhase.RUNNING}
_LONG = {RunPhase.PINNING, RunPhase.PREPARING} | _LOOKS
"""The steps that may wait for a remote, an upload or a head that hangs, for minutes, and leave nothing that a
cancel must undo."""
_ENDING = {RunPhase.CANCELLING, RunPhase.HARVESTING, RunPhase.DONE}


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long the loop bears with a run that does not get on."""

    failures: int = 5
    """Unexpected errors of one run's step in a row before it is given up, as ``internal``."""
    first_pause: timedelta = timedelta(seconds=2)
    """After the first failure; each further one doubles it."""
    longest_pause: timedelta = timedelta(seconds=30)
    cancel_poll: timedelta = timedelta(seconds=1)
    """How often a long step looks whether its run is still wanted."""

    def pause(self, failures: int) -> timedelta:
        """Return how long to wait after so many failures in a row."""
        return min(self.first_pause * 2 ** min(failures - 1, self.failures), self.longest_pause)


class Reconciler:
    """The loop. `serve` runs until it is cancelled, and gives its claims back."""

    def __init__(
        self, *, context: StepContext, wake: Wake, signals: LogSignals, patience: Patience | None = None
    ) -> None:
        self._context = context
        self._wake = wake
        self._signals = signals
        self._patience = patience or Patience()
        self._driven: dict[str, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Drive runs for ever."""
        renewal = asyncio.create_task(self._renew_claims())
        try:
            while True:
                await self._look(self._claim, "claim")
                await self._look(self._admit, "admit")
                await self._wake.wait_any(POLL_S)
        finally:
            tasks = [renewal, *self._driven.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, find: Callable[[int], Awaitable[list[Run]]], action: str) -> None:
        """Drive what there is to drive; a store that is away for a while is asked again."""
        limit = min(BATCH, MOST_DRIVEN - len(self._driven))
        if limit <= 0:
            return
        try:
            found = await find(limit)
        except DaftrayError:
            log.exception("no runs could be had", extra={"action": action})
            return
        for run in found:
            if run.id not in self._driven:
                self._wake.watch(run.id)
                self._driven[run.id] = asyncio.create_task(self._drive(run.id))
        if len(found) == limit:
            self._wake.all()

    async def _claim(self, limit: int) -> list[Run]:
        return await self._context.runs.claim_due(self._context.claim, limit=limit)

    async def _admit(self, limit: int) -> list[Run]:
        return await steps.admit(self._context, limit)

    async def _renew_claims(self) -> None:
        context = self._context
        while True:
            await asyncio.sleep(context.claim.lease.total_seconds() / 3)
            with contextlib.suppress(DaftrayError):
                await context.runs.renew(context.claim, list(self._driven))

    async def _drive(self, run_id: str) -> None:
        again_in = timedelta(0)
        failures = 0
        known: Run | None = None
        try:
            while True:
                try:
                    outcome = await self._take_step(known or await self._context.runs.get(run_id))
                    failures = 0
                except (StaleClaimError, RunNotFoundError):
                    known = None
                    if not await self._still_ours(run_id):
                        return
                    continue
                except Exception as exc:
                    log.exception("a step failed", extra={"action": "step", "run_id": run_id})
                    outcome = await self._after_failure(run_id, failures + 1, exc)
                    failures = 0 if outcome.events else failures + 1
                if outcome.run.phase is RunPhase.DONE:
                    self._ended(outcome.run)
                    return
                if outcome.parked:
                    again_in = outcome.again_in
                    return
                # What was saved just now is what the store has. Later steps have other writers: the archive.
                known = outcome.run if outcome.run.phase in _BEFORE_CLUSTER and not outcome.again_in else None
                if outcome.again_in:
                    await self._wake.wait_run(run_id, outcome.again_in.total_seconds())
        except DaftrayError:
            log.exception("a run is let go", extra={"action": "drive", "run_id": run_id})
            again_in = LET_GO_FOR
        finally:
            await asyncio.shield(self._release(run_id, again_in))

    async def _take_step(self, run: Run) -> StepOutcome:
        if run.phase is RunPhase.DONE:
            return StepOutcome(run=run)
        if run.cancel_requested_at is not None and run.phase not in _ENDING:
            return await self._step_and_save(run, ending.begin_cancel)
        return await self._step_and_save(run, STEPS[run.phase])

    async def _step_and_save(self, run: Run, step: Step) -> StepOutcome:
        outcome = await (
            self._unless_cancelled(run, step) if run.phase in _LONG else step(run, self._context)
        )
        if outcome.run != run or outcome.events:
            await self._context.runs.save(outcome.run, outcome.events, self._context.claim)
            self._signals.notify(run.id)
        return outcome

    async def _unless_cancelled(self, run: Run, step: Step) -> StepOutcome:
        """Take a long step, but cut it off when somebody cancels the run.

        Raises:
            StaleClaimError: as the save would, had the step come to it.
        """
        poll_s = self._patience.cancel_poll.total_seconds()
        task = asyncio.ensure_future(step(run, self._context))
        try:
            while not (await asyncio.wait({task}, timeout=poll_s))[0]:
                now = await self._context.runs.get(run.id)
                if now.cancel_requested_at != run.cancel_requested_at:
                    raise StaleClaimError
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _still_ours(self, run_id: str) -> bool:
        """After a refused write: did a cancel come in between (go on), or is the claim lost (stop)?"""
        context = self._context
        try:
            run = await context.runs.get(run_id)
            await context.runs.save(run, (), context.claim)
        except DaftrayError:
            return False
        return True

    async def _after_failure(self, run_id: str, failures: int, error: Exception) -> StepOutcome:
        """Try again later; give up on a run whose step keeps failing, rather than look at it for ever.

        A store that is away for a while says nothing of the run, and holds up all of them alike.
        """
        run = await self._context.runs.get(run_id)
        if failures < self._patience.failures or (isinstance(error, DaftrayError) and error.retryable):
            return StepOutcome(run=run, again_in=self._patience.pause(failures))
        outcome = await ending.give_up(run, self._context)
        await self._context.runs.save(outcome.run, outcome.events, self._context.claim)
        return outcome

    def _ended(self, run: Run) -> None:
        log.info("run ended", extra={"action": "run_ended", "run_id": run.id, "status": run.status})
        self._wake.all()

    async def _release(self, run_id: str, again_in: timedelta) -> None:
        self._driven.pop(run_id, None)
        self._wake.unwatch(run_id)
        with contextlib.suppress(DaftrayError):
            await self._context.runs.release(run_id, self._context.claim, due_in=again_in)
        self._wake.all()  # it may have joined the queue
