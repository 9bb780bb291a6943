"""Where all runs together are counted."""

from __future__ import annotations

from typing import Protocol

from daftray.domain.tally import Tallies


class TallyStore(Protocol):
    """Counts that are kept while runs end (`RunStore.save`), so that reading them looks at no ended run."""

    async def read(self) -> Tallies:
        """Return the counts of one moment. What is of a project goes with it."""
        ...
