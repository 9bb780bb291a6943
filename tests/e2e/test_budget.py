"""A run that uses more than its budget is stopped on a real cluster, and what it used is known."""

from __future__ import annotations

from collections.abc import Callable

import psutil
import pytest
from e2e_platform import Platform, program_output

from daftray.client import Client
from daftray.domain.price import Price
from daftray.domain.run import Run
from daftray.domain.spec import Budget
from daftray.domain.status import FailureReason, RunPhase, RunStatus

pytestmark = pytest.mark.ray

SPENDS = """\
import time
import daftray

for tick in range(6000):
    daftray.record_usage(model="made-up-1", tokens_in=10, tokens_out=1)
    print(tick, time.time(), flush=True)
    time.sleep(0.1)
"""


def test_a_run_is_stopped_that_spends_too_much(
    platform: Platform, client: Client, ended: Callable[[Run], Run]
) -> None:
    client.prices.set([Price(model="made-up-*", per_million_tokens_in=1000, per_request=1)])
    commit = platform.repo.commit({"budget/spends.py": SPENDS})
    run = ended(client.runs.create("budget/spends.py", hash=commit, budget=Budget(usd=20)))

    assert (run.status, run.reason) == (RunStatus.FAILED, FailureReason.BUDGET_EXCEEDED)
    assert run.reason_detail is not None
    assert "of at most $20.00" in run.reason_detail
    ticks = program_output(client.runs.logs(run)).decode().splitlines()
    crossed = float(ticks[19].split()[1])  # 20 times $1 and 10 tokens of $0.001 are more than $20
    told = next(one.at for one in client.runs.events(run) if one.phase is RunPhase.CANCELLING)
    print(f"crossed, then told to stop {told.timestamp() - crossed:.2f} s later, last tick {ticks[-1]}")
    print(f"the last tick came {float(ticks[-1].split()[1]) - crossed:.2f} s after the crossing")
    metrics = client.runs.metrics(run)
    assert metrics.requests is not None
    assert 20 <= metrics.requests <= len(ticks) + 1
    assert metrics.cost == pytest.approx(metrics.requests * 1.01)
    assert metrics.price_version == client.prices.get().version
    assert not [process for process in psutil.process_iter() if _is_of(process, run)], (
        "nothing of it goes on spending"
    )


def _is_of(process: psutil.Process, run: Run) -> bool:
    try:
        return process.environ().get("DAFTRAY_RUN_ID") == run.id and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
