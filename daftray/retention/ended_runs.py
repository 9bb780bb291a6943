"""What goes of runs that have ended: first logs and results, and then, where the operator wants it, the rest.

The database is told first. What it then says is gone is not read any more, and the keys of the blobs stay
noted until those are gone, too (`daftray.retention.noted_blobs`).
"""

from __future__ import annotations

from collections.abc import Sequence

from daftray.domain.ports import RetentionStore
from daftray.domain.retention import Holdings, Kept, Kind
from daftray.retention.keys import blobs_of, blobs_of_run
from daftray.retention.policy import Bound, Choice, RetentionPolicy, choose, older_than
from daftray.retention.tally import Tally

_PAGE = 500
"""How much goes in one transaction."""
_LOOKED_AHEAD = 50
"""How many passes a dry run looks ahead."""


class EndedRuns:
    """The rules on the database's own records."""

    def __init__(self, store: RetentionStore, policy: RetentionPolicy) -> None:
        self._store = store
        self._policy = policy

    async def trim(self, kind: Kind, bound: Bound, tally: Tally, *, dry_run: bool) -> None:
        """Let go of the logs or the results that are too old or too much."""
        if bound.age is None and bound.size is None:
            return
        step = self._look if dry_run else self._remove
        most = self._policy.most * (_LOOKED_AHEAD if dry_run else 1)
        after: Kept | None = None
        left: int | None = None
        while tally.count(kind) < most:
            choices, left = await step(kind, bound, after, left)
            for one in choices:
                tally.add(kind, bound.by_age if one.too_old else bound.by_size, size=one.kept.size)
            if len(choices) < _PAGE:
                return
            after = choices[-1].kept
        tally.more = True

    async def _look(
        self, kind: Kind, bound: Bound, after: Kept | None, left: int | None
    ) -> tuple[list[Choice[Kept]], int]:
        """Return what would go, from behind ``after`` on, where so many bytes would be left by then."""
        found = await self._store.holdings(kind, after=after, limit=_PAGE)
        total = found.total if left is None else left
        choices = list(choose(found.oldest, bound, now=found.now, total=total))
        return choices, total - sum(one.kept.size for one in choices)

    async def _remove(
        self, kind: Kind, bound: Bound, _after: Kept | None, _left: int | None
    ) -> tuple[list[Choice[Kept]], int]:
        choices: list[Choice[Kept]] = []

        def pick(holdings: Holdings) -> Sequence[Kept]:
            choices[:] = choose(holdings.oldest, bound, now=holdings.now, total=holdings.total)
            return [one.kept for one in choices]

        await self._store.remove(kind, pick, blobs=lambda kept: blobs_of(kind, kept), limit=_PAGE)
        return choices, 0

    async def forget_keys(self, tally: Tally, *, dry_run: bool) -> None:
        """Forget idempotency keys that nobody will use again.

        A key goes long before the record of a run that was made under it: it would lead to a run that is
        gone.
        """
        age = (
            self._policy.keys if self._policy.runs is None else min(self._policy.keys, self._policy.runs / 2)
        )
        what, rule = "idempotency keys", older_than(age)
        if dry_run:
            tally.add(what, rule, count=await self._store.old_keys(age))
            return
        while tally.count(what) < self._policy.most:
            gone = await self._store.forget_keys(age, limit=_PAGE)
            tally.add(what, rule, count=gone)
            if gone < _PAGE:
                return
        tally.more = True

    async def remove_runs(self, tally: Tally, *, dry_run: bool) -> None:
        """Remove the records of runs that ended long ago, once no idempotency key leads to one of them."""
        age = self._policy.runs
        if age is None or tally.more:
            return
        what, rule = "runs", older_than(age)
        if dry_run:
            count, size = await self._store.old_runs(age)
            tally.add(what, rule, count=count, size=size)
            return
        while tally.count(what) < self._policy.most:
            count, size = await self._store.remove_runs(age, blobs=blobs_of_run, limit=_PAGE)
            tally.add(what, rule, count=count, size=size)
            if count < _PAGE:
                return
        tally.more = True
