"""Keeps Ray's list of jobs short, and ends jobs of runs that have ended.

Ray keeps the record of every job until its head ends, and tells all of them at once to whoever asks for its
list. And a job can outlive its run: daftray gave up on a cluster that did not answer, and it came back.

A job is daftray's to touch if it was submitted for an attempt of a run that this database knows, on this
cluster, and that attempt is over. An attempt that is over stays so: what is known of it cannot be too old.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from datetime import timedelta

from daftray.domain.cluster import ListedJob
from daftray.domain.errors import ClusterError, DaftrayError, JobNotFoundError
from daftray.domain.ports import RayJobs, SubmittedJobs
from daftray.domain.retention import SubmittedAttempt
from daftray.retention.at_once import in_groups
from daftray.retention.policy import older_than
from daftray.retention.tally import Tally
from daftray.runtime_env.submission import RUN_METADATA

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=30)
MOST_DELETED = 200
MOST_ENDED = 20
"""Jobs in one pass."""
_ASKED_TOGETHER = 500
_SUBMISSION = re.compile(r"(run_[0-9a-z]+)-([1-9][0-9]{0,8})")

_Over = tuple[ListedJob, SubmittedAttempt, timedelta]
"""A job whose attempt is over, and for how long."""


class Janitor:
    """Tidies one cluster. Records of ended jobs stay for ``grace``, for people who look at Ray."""

    def __init__(self, *, rayjobs: RayJobs, submitted: SubmittedJobs, cluster: str, grace: timedelta) -> None:
        self._rayjobs = rayjobs
        self._submitted = submitted
        self._cluster = cluster
        self._grace = grace

    async def serve(self, every: timedelta = EVERY) -> None:
        """Tidy for ever; a cluster that is away is looked at again."""
        while True:
            await asyncio.sleep(every.total_seconds())
            try:
                await self.tidy(Tally(), dry_run=False)
            except DaftrayError as exc:
                log.debug("Ray's jobs are looked at later: %s", exc.detail, extra={"action": "janitor"})
            except Exception:
                log.exception("Ray's jobs are looked at later", extra={"action": "janitor"})

    async def tidy(self, tally: Tally, *, dry_run: bool) -> None:
        """Delete records of jobs that are harvested, and end jobs whose attempts are over.

        Raises:
            ClusterUnreachableError, ClusterRefusedError: the cluster does not tell its jobs.
            StoreUnavailableError: the database is away.
        """
        over = await self._over(await self._rayjobs.list_jobs())
        harvested = [one for one in over if one[0].status.terminal and one[2] >= self._grace]
        outliving = [one for one in over if not one[0].status.terminal]
        if dry_run:
            tally.add("Ray's records of jobs", self._rule, count=len(harvested))
            tally.add("Ray jobs", _OUTLIVED, count=len(outliving))
            return
        for group in in_groups(outliving[:MOST_ENDED]):
            ended = await asyncio.gather(*(self._end(one) for one in group))
            tally.add("Ray jobs", _OUTLIVED, count=sum(ended))
        for group in in_groups(harvested[:MOST_DELETED]):
            deleted = await asyncio.gather(*(self._delete(one) for one in group))
            tally.add("Ray's records of jobs", self._rule, count=sum(deleted))

    @property
    def _rule(self) -> str:
        return f"their run has them all, {older_than(self._grace)}"

    async def _over(self, listed: Sequence[ListedJob]) -> list[_Over]:
        """Return the jobs of this server's runs whose attempts are over."""
        ours = {key: job for job in listed if (key := _attempt_of(job)) is not None}
        over: list[_Over] = []
        for some in in_groups(list(ours), _ASKED_TOGETHER):
            known = await self._submitted.attempts(self._cluster, some)
            over += [(ours[key], one, one.over_for) for key, one in known.items() if one.over_for is not None]
        return over

    async def _delete(self, over: _Over) -> bool:
        job, _, _ = over
        try:
            await self._rayjobs.delete(job.submission_id)
        except ClusterError as exc:
            log.debug("a record of Ray's stays for now: %s", exc.detail, extra=_told(over))
            return False
        return True

    async def _end(self, over: _Over) -> bool:
        """End a job that outlived its attempt, with all that it holds."""
        job, _, _ = over
        try:
            if (await self._rayjobs.get(job.submission_id)).status.terminal:
                return False  # it ended while we looked
            log.warning("a job outlived its run, and is ended", extra=_told(over))
            left = await self._rayjobs.sweep(job.submission_id)
        except JobNotFoundError:
            return False
        except ClusterError as exc:
            log.warning("a job that outlived its run goes on: %s", exc.detail, extra=_told(over))
            return False
        if left:
            log.warning("left on the cluster: %s", "; ".join(left), extra=_told(over))
        return True


_OUTLIVED = "their run has ended, or has gone on to its next attempt"


def _attempt_of(job: ListedJob) -> tuple[str, int] | None:
    """Return which attempt a job was submitted for, if it was one of daftray's."""
    found = _SUBMISSION.fullmatch(job.submission_id)
    if found is None or job.metadata.get(RUN_METADATA) != found[1]:
        return None
    return found[1], int(found[2])


def _told(over: _Over) -> dict[str, object]:
    job, attempt, _ = over
    return {"action": "janitor", "run_id": attempt.run, "attempt": attempt.attempt, "job": job.submission_id}
