from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from daftray.retention.policy import Bound
from daftray.server.settings import ServerSettings


def test_by_default_logs_and_results_have_bounds_and_records_of_runs_have_none() -> None:
    policy = ServerSettings().retention_policy
    assert policy.logs == Bound(age=timedelta(days=90), size=10 * 1024**3)
    assert policy.results == Bound(age=timedelta(days=90), size=50 * 1024**3)
    assert policy.runs is None


def test_an_operator_can_keep_things_for_less_for_more_or_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "KEEP_LOGS_DAYS": "0.5",
        "LOGS_BYTES": "none",
        "KEEP_RESULTS_DAYS": "None",
        "RESULTS_BYTES": "1000",
        "KEEP_RUNS_DAYS": "365",
        "MIRRORS_BYTES": "",
        "RETENTION_INTERVAL_S": "60",
    }.items():
        monkeypatch.setenv(f"DAFTRAY_{name}", value)
    policy = ServerSettings().retention_policy
    assert policy.logs == Bound(age=timedelta(hours=12))
    assert policy.results == Bound(size=1000)
    assert policy.runs == timedelta(days=365)
    assert policy.mirrors.size is None
    assert policy.every == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [("KEEP_LOGS_DAYS", "0"), ("KEEP_LOGS_DAYS", "-1"), ("LOGS_BYTES", "-1"), ("LOGS_BYTES", "10 GiB")],
)
def test_what_makes_no_sense_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"DAFTRAY_{name}", value)
    with pytest.raises(ValidationError):
        ServerSettings()
