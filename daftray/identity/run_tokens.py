"""The token with which a run's processes report: it names the run and attempt and dies with the run.

It is ``drt.<run>.<attempt>.<mac>``, the mac being HMAC-SHA-256 (RFC 2104) under a key of the server's own:
nothing needs to be stored, and one run's token says nothing of another's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from daftray.domain.errors import RunNotFoundError, UnauthenticatedError
from daftray.domain.ports import RunStore
from daftray.domain.principal import RunPrincipal

PREFIX = "drt"
_FORM = re.compile(rf"{PREFIX}\.([a-z0-9_]{{1,64}})\.([0-9]{{1,6}})\.([0-9a-f]{{64}})")
_REFUSED = "The run's token is not valid, or the run has ended."


class RunTokens:
    """Issues and checks runs' tokens.

    ``keys`` are ids and 32 bytes each, for this purpose alone: the first signs, all of them verify.
    """

    def __init__(self, *, keys: Sequence[tuple[str, bytes]], runs: RunStore) -> None:
        self._keys = keys
        self._runs = runs

    def issue(self, run_id: str, attempt: int) -> str:
        """Return the token of an attempt."""
        return self.valid(run_id, attempt)[0]

    def valid(self, run_id: str, attempt: int) -> list[str]:
        """Return every text that is taken for the attempt's token: one for each key, the issued one first."""
        return [f"{PREFIX}.{run_id}.{attempt}.{_mac(key, run_id, attempt)}" for _, key in self._keys]

    async def authenticate(self, text: str) -> RunPrincipal:
        """Return which run reports. Raises `UnauthenticatedError`."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise UnauthenticatedError(_REFUSED)
        run_id, attempt, mac = match.groups()
        if not any(hmac.compare_digest(mac, _mac(key, run_id, int(attempt))) for _, key in self._keys):
            raise UnauthenticatedError(_REFUSED)
        try:
            run = await self._runs.get(run_id)
        except RunNotFoundError as exc:
            raise UnauthenticatedError(_REFUSED) from exc
        if run.status.terminal or run.attempt != int(attempt):
            raise UnauthenticatedError(_REFUSED)
        return RunPrincipal(run=run_id, attempt=int(attempt))


def _mac(key: bytes, run_id: str, attempt: int) -> str:
    return hmac.new(key, f"{run_id}.{attempt}".encode(), hashlib.sha256).hexdigest()
