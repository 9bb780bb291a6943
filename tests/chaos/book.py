"""The book of trials: what each came to, so that a long series can be stopped, gone on with and summed up."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from chaos.lives import changing_points
from chaos.trial import Outcome

_KEY = "chaos/trials"
_ROOT = Path(__file__).parent.parent.parent


def digest_of_code() -> str:
    """Return what names the code that is tested, and that tests: trials of other code count for nothing."""
    digest = hashlib.sha256()
    for folder in ("daftray", "tests/chaos"):
        for path in sorted((_ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass
class Book:
    """The trials of this code. With ``resuming``, those that went well before are not made again."""

    cache: pytest.Cache | None
    long: bool
    """Whether it is a long series, of trials at their full size."""
    resuming: bool
    code: str = field(default_factory=digest_of_code)
    outcomes: dict[str, Outcome] = field(default_factory=dict[str, Outcome])

    def __post_init__(self) -> None:
        kept = self.cache.get(_KEY, {}) if self.cache else {}
        if self.resuming and kept.get("code") == self.code:
            self.outcomes = {name: _outcome(one) for name, one in kept["outcomes"].items()}

    def went_well(self, setting: str, seed: int) -> bool:
        outcome = self.outcomes.get(f"{setting}/{seed}")
        return self.resuming and outcome is not None and not outcome.violations

    def note(self, outcome: Outcome) -> None:
        """Write an outcome down, at once: a series may be cut off."""
        self.outcomes[f"{outcome.setting}/{outcome.seed}"] = outcome
        if self.cache is None:
            return
        kept = {name: msgspec.to_builtins(one) for name, one in self.outcomes.items()}
        self.cache.set(_KEY, {"code": self.code, "outcomes": kept})

    def table(self) -> Iterator[str]:
        """Yield the lines that sum the trials up."""
        yield (
            f"{'setting':<24}{'seeds':>6}{'failed':>7}{'deaths':>7}{'runs':>6}{'succ.':>6}{'fail.':>6}"
            f"{'canc.':>6}{'faults':>7}{'seconds':>8}  {'edges met':>10}{'killed at':>10}"
        )
        for setting in sorted({outcome.setting for outcome in self.outcomes.values()}):
            yield _line(setting, [one for one in self.outcomes.values() if one.setting == setting])
        for outcome in self.outcomes.values():
            for violation in outcome.violations:
                yield f"  {outcome.setting} seed {outcome.seed}: {violation}"
        yield from self._missed()

    def _missed(self) -> Iterator[str]:
        met = _sum(one.passed for one in self.outcomes.values())
        missed = [point for point in changing_points() if not met[point]]
        if missed:
            yield f"  edges that no trial came to: {', '.join(missed)}"


def _line(setting: str, outcomes: list[Outcome]) -> str:
    statuses = _sum(one.statuses for one in outcomes)
    passed = _sum(one.passed for one in outcomes)
    killed_at = _sum(one.killed_at for one in outcomes)
    edges = changing_points()
    return (
        f"{setting:<24}{len(outcomes):>6}{sum(bool(one.violations) for one in outcomes):>7}"
        f"{sum(one.deaths for one in outcomes):>7}{statuses.total():>6}"
        f"{statuses['succeeded']:>6}{statuses['failed']:>6}{statuses['cancelled']:>6}"
        f"{sum(one.faults.total() for one in outcomes):>7}{sum(one.seconds for one in outcomes):>8.0f}  "
        f"{f'{sum(bool(passed[edge]) for edge in edges)}/{len(edges)}':>10}"
        f"{f'{sum(bool(killed_at[edge]) for edge in edges)}/{len(edges)}':>10}"
    )


def _sum(counters: Iterator[Counter[str]]) -> Counter[str]:
    return sum(counters, Counter[str]())


def _outcome(kept: dict[str, Any]) -> Outcome:  # Any: JSON
    fields = {name: Counter(value) if isinstance(value, dict) else value for name, value in kept.items()}
    return Outcome(**cast("dict[str, Any]", fields))
