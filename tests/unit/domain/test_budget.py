from __future__ import annotations

import pytest

from daftray.domain.budget import overrun
from daftray.domain.errors import InvalidInputError
from daftray.domain.metrics import UsageSummary
from daftray.domain.spec import Budget, Entrypoint, FileEntrypoint, Retries, RunRequest
from daftray.domain.status import FailureReason

USED = UsageSummary(requests=3, tokens_in=900, tokens_out=101, cost_at_least=0.25)


@pytest.mark.parametrize(
    ("budget", "over"),
    [
        (Budget(tokens=1001), False),
        (Budget(tokens=1000), True),
        (Budget(requests=3), False),
        (Budget(requests=2), True),
        (Budget(usd=0.25), False),
        (Budget(usd=0.2499), True),
        (Budget(tokens=10_000, requests=2), True),
    ],
)
def test_more_than_the_budget_is_too_much_and_as_much_is_not(budget: Budget, *, over: bool) -> None:
    assert (overrun(budget, USED) is not None) is over


def test_it_says_what_was_too_much_and_what_was_used_in_all() -> None:
    said = overrun(Budget(tokens=1000, usd=0.2), USED)
    assert said == (
        "The run has used 1,001 tokens of at most 1,000 tokens and $0.25 of at most $0.2: "
        "1,001 tokens, 3 requests, $0.25 in all."
    )


def test_what_is_unknown_is_not_too_much() -> None:
    everything = Budget(tokens=1, requests=1, usd=1e-6)
    assert overrun(everything, UsageSummary()) is None
    assert overrun(everything, None) is None
    assert overrun(None, USED) is None
    # The cost counts as far as it is known.
    assert overrun(Budget(usd=0.01), UsageSummary(cost_at_least=0.02)) is not None


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"budget": Budget()}, "budget"),
        (
            {
                "budget": Budget(tokens=1),
                "retries": Retries(max=1, on=(FailureReason.KILLED, FailureReason.BUDGET_EXCEEDED)),
            },
            "retries.on",
        ),
    ],
)
def test_a_budget_that_cannot_be_meant_is_refused(fields: dict[str, object], path: str) -> None:
    entrypoint = Entrypoint(file=FileEntrypoint(file_path="main.py"))
    request = RunRequest(entrypoint=entrypoint, **fields)  # type: ignore[arg-type] (its fields)
    with pytest.raises(InvalidInputError) as refused:
        request.check()
    assert [issue.path for issue in refused.value.issues] == [path]
