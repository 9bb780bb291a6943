"""Drivers' logs, kept for good: copied from Ray bit by bit, masked, and read from any byte on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping

from daftray.domain.cluster import Job
from daftray.domain.errors import (
    BlobNotFoundError,
    ClusterUnreachableError,
    LogNotFoundError,
    LogRemovedError,
    StaleClaimError,
)
from daftray.domain.ports import BlobStore, Claim, Clock, RayJobs, RunStore
from daftray.domain.run import Run
from daftray.logs.chunks import CHUNK, growing_key, key_of, spans
from daftray.logs.fact_store import FactStore
from daftray.logs.masking import Mask
from daftray.logs.signals import LogSignals

READ_BYTES = 1 << 20
READS_PER_COPY = 16
"""So that one chatty run does not hold up the looks at its own job for long."""
_READ_TRIES = 5


def archived_size(run: Run, attempt: int) -> int:
    """Return how many bytes of an attempt's log were archived when the run was read.

    Raises:
        LogNotFoundError: the run has no such attempt.
        LogRemovedError: retention removed it.
    """
    for one in run.attempts:
        if one.number == attempt:
            if one.log_removed_at is not None:
                raise LogRemovedError(
                    f"The log of attempt {attempt} was removed on {one.log_removed_at:%Y-%m-%d}: this server "
                    "keeps logs for a while and up to a size, as its operator decided. The run's status, "
                    "problems and metrics are still there."
                )
            return one.log_size
    if attempt == run.attempt:
        return 0
    raise LogNotFoundError(f"Run {run.id} has no attempt {attempt}: it has {len(run.attempts)}.")


class LogArchive:
    """The logs of all runs. The bytes of a log are those of its driver's file, secret values aside.

    With a ``clock`` it is noted when lines came in, and what each full chunk holds.
    """

    def __init__(
        self,
        *,
        blobs: BlobStore,
        rayjobs: RayJobs,
        runs: RunStore,
        signals: LogSignals | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._blobs = blobs
        self._rayjobs = rayjobs
        self._runs = runs
        self._signals = signals
        self._clock = clock
        self.facts = FactStore(blobs)

    async def copy(self, run: Run, job: Job, *, claim: Claim, secrets: Mapping[str, str]) -> bool:
        """Copy what is new in the log of a run's current attempt; tell whether there was anything.

        ``run`` is as the store has it now: its attempt's log size says where to go on. At most some 16 MiB
        are copied at a time. A job that has ended gives its last bytes, whatever they could begin.

        Raises:
            ClusterUnreachableError: the log cannot be read now, or not as far as it goes.
            StaleClaimError: somebody else has the run; nothing was changed.
        """
        mask = await asyncio.to_thread(Mask, secrets.values())
        start = size = run.current.log_size
        fell_short = False
        for _ in range(READS_PER_COPY):
            known = min(size, mask.reach)
            wanted = known + READ_BYTES
            text = await self._rayjobs.read_log(job, offset=size - known, limit=wanted)
            final = len(text) < wanted and await self._ends_at(job, size - known + len(text))
            fell_short = len(text) < wanted and not final and job.status.terminal
            new = await asyncio.to_thread(mask.settled, text, known=known, final=final)
            if new:
                await self._append(run, size, new, claim)
                size += len(new)
            if not new or len(text) < wanted:
                break
        if fell_short and size == start:
            # What came is held back, since a secret may begin there. It is not the end: there is more.
            raise ClusterUnreachableError(f"The log of job {job.submission_id} was read in part only.")
        if size > start and self._signals is not None:
            self._signals.notify(run.id)
        return size > start

    async def size(self, run_id: str, attempt: int | None = None) -> tuple[int, int]:
        """Return an attempt (by default the current one) and how many bytes of its log there are.

        Raises:
            RunNotFoundError: there is no such run.
            LogNotFoundError: the run has no such attempt.
            LogRemovedError: retention removed it.
        """
        run = await self._runs.get(run_id)
        number = run.attempt if attempt is None else attempt
        return number, archived_size(run, number)

    async def read(self, run_id: str, attempt: int, *, size: int, start: int, end: int) -> bytes:
        """Return bytes ``start`` to ``end`` (exclusive) of a log of which ``size`` bytes were archived.

        Raises:
            BlobNotFoundError: the blob store has lost it.
            LogRemovedError: retention removes it just now.
        """
        pieces: list[bytes] = []
        for index, within, until in spans(max(0, start), min(end, size)):
            pieces.append(await self._read_chunk(run_id, attempt, index, size, (within, until)))
        return b"".join(pieces)

    async def stream(
        self, run_id: str, attempt: int, *, size: int, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of a range, a chunk at a time."""
        stop = size if end is None else min(end, size)
        for index, within, until in spans(max(0, start), stop):
            yield await self._read_chunk(run_id, attempt, index, size, (within, until))

    async def _ends_at(self, job: Job, offset: int) -> bool:
        """Tell whether a log ends there for good. A short read alone may be a slow one."""
        return job.status.terminal and not await self._rayjobs.read_log(job, offset=offset, limit=1)

    async def _append(self, run: Run, size: int, new: bytes, claim: Claim) -> None:
        """Write the chunks first, then their size; only then the older growing chunk may go.

        What is known of them comes last: whoever lost the claim notes nothing.
        """
        index, filled = divmod(size, CHUNK)
        older = growing_key(run.id, run.attempt, index, filled)
        content = (await self._growing(run, older, size) if filled else b"") + new
        for at in range(0, len(content), CHUNK):
            piece = content[at : at + CHUNK]
            chunk = index + at // CHUNK
            await self._blobs.put(key_of(run.id, run.attempt, chunk, chunk * CHUNK + len(piece)), piece)
        await self._runs.save_log_size(run.id, run.attempt, size + len(new), claim)
        if filled:
            await self._blobs.delete(older)
        if self._clock is not None:
            await self.facts.note(run.id, run.attempt, size=size, content=content, now=self._clock.now())

    async def _growing(self, run: Run, key: str, size: int) -> bytes:
        try:
            return await self._blobs.get(key)
        except BlobNotFoundError as exc:
            _, newer = await self.size(run.id, run.attempt)
            if newer != size:
                raise StaleClaimError from exc
            raise

    async def _read_chunk(
        self, run_id: str, attempt: int, index: int, size: int, bounds: tuple[int, int]
    ) -> bytes:
        """Read from a chunk that may grow, under another key, while we look for it."""
        for tries_left in reversed(range(_READ_TRIES)):
            try:
                key = key_of(run_id, attempt, index, size)
                return await self._blobs.get(key, start=bounds[0], end=bounds[1])
            except BlobNotFoundError:
                _, newer = await self.size(run_id, attempt)
                if newer == size or not tries_left:
                    raise
                size = newer
        raise AssertionError  # the last try returned or raised
