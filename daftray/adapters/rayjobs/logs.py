"""A driver's log, byte by byte from the agent of its node, or line by line through the head.

The node's agent serves the log folder as static files, with ranges: exact, quick and safe for any bytes.
Where it cannot be reached (its port is closed, say) the head's WebSocket tail stands in. It always starts at
the beginning, so it reads much to give little; it carries text, so a log with bytes that are no UTF-8 gives
nothing there, as if it had ended; and Ray opens the file with universal newlines, so a CR LF comes as a line
feed alone (``job/utils.py``). So an agent that is silent for a moment is waited for.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from daftray.adapters.rayjobs.errors import raise_for, translated
from daftray.adapters.rayjobs.rest import Rest
from daftray.domain.cluster import Job, JobStatus
from daftray.domain.errors import ClusterUnreachableError

_CONNECT_S = 5.0
_FIRST_S = 20.0
"""Until the first lines: at its first tail the agent connects to the cluster, which takes seconds."""
_IDLE_S = 2.5
"""Ray's tail sleeps one second where the file ends, so a longer silence means that there is no more."""
_LONGEST_S = 60.0
_LARGEST_MESSAGE = 1 << 20
_AGENT_PATIENCE_S = 45.0
"""For an agent that does not answer, before the head is asked in its place."""
_MOST_AGENTS = 1000
"""Silent ones that are remembered."""


class DriverLogs:
    """Reads drivers' logs: from their nodes, or else from the head."""

    def __init__(self, head: Rest) -> None:
        self._head = head
        self._silent_since: dict[str, float] = {}
        """Agents that do not answer, by address: since when, by the event loop's clock."""

    async def read(self, job: Job, *, offset: int, limit: int) -> bytes:
        """Return at most ``limit`` bytes from ``offset``; none at the end, or where no log is yet.

        Raises:
            ClusterUnreachableError: the agent does not answer, for a moment, or neither does the head.
            ClusterRefusedError: the cluster refuses the token.
        """
        if job.log_address is None or limit <= 0:
            return b""
        try:
            read = await self._from_agent(job.log_address, job.submission_id, offset, limit)
        except ClusterUnreachableError:
            if self._is_silent_for_long(job.log_address):
                return await self._from_head(job.submission_id, offset, limit)
            raise
        self._silent_since.pop(job.log_address, None)
        if read is not None:
            return read
        # The agent has no such file: either the driver has not started, or the file is another node's.
        if job.status is JobStatus.PENDING:
            return b""
        return await self._from_head(job.submission_id, offset, limit)

    def _is_silent_for_long(self, address: str) -> bool:
        now = asyncio.get_running_loop().time()
        since = self._silent_since.setdefault(address, now)
        if len(self._silent_since) > _MOST_AGENTS:
            self._silent_since.pop(next(iter(self._silent_since)))
        return now - since >= _AGENT_PATIENCE_S

    async def _from_agent(self, address: str, submission_id: str, offset: int, limit: int) -> bytes | None:
        url = f"{address}/logs/job-driver-{submission_id}.log"
        with translated(address):
            # Compression would make the range one of compressed bytes.
            headers = {"Range": f"bytes={offset}-{offset + limit - 1}", "Accept-Encoding": "identity"}
            answer = await self._head.client.get(url, headers=headers)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return b""
        raise_for(answer, address)
        if answer.status_code != HTTPStatus.PARTIAL_CONTENT:
            return answer.content[offset : offset + limit]
        return answer.content

    async def _from_head(self, submission_id: str, offset: int, limit: int) -> bytes:
        url = f"{self._head.url.replace('http', 'ws', 1)}/api/jobs/{submission_id}/logs/tail"
        try:
            async with connect(
                url,
                additional_headers=self._head.headers,
                open_timeout=_CONNECT_S,
                close_timeout=1,
                max_size=_LARGEST_MESSAGE,
                proxy=None,
                # Ray's dashboard hands our offer to compress on to the agent, and chokes on what comes of it.
                compression=None,
            ) as tail:
                return await _collect(tail, offset, limit)
        except (OSError, WebSocketException) as exc:
            raise ClusterUnreachableError(
                f"The log of job {submission_id} can be had neither from its node nor from {self._head.url}: "
                "is the cluster alive?"
            ) from exc


async def _collect(tail: ClientConnection, offset: int, limit: int) -> bytes:
    """Read until there is enough, the log ends, nothing comes for a while, or the time is up."""
    collected = bytearray()
    skip, patience_s = offset, _FIRST_S
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _LONGEST_S
    while len(collected) < limit and loop.time() < deadline:
        try:
            # Not `wait_for`, which before Python 3.12 can swallow a cancellation that comes with a message.
            async with asyncio.timeout(patience_s):
                message = await tail.recv()
        except (TimeoutError, ConnectionClosed):
            break
        patience_s = _IDLE_S
        data = message.encode() if isinstance(message, str) else message
        collected += data[skip:]
        skip = max(0, skip - len(data))
    return bytes(collected[:limit])
