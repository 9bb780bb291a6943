"""A run as ``daftray runs list`` and ``daftray runs get`` show it."""

from __future__ import annotations

from daftray.cli import screen, tables
from daftray.domain.durations import written
from daftray.domain.metrics import UsageSummary
from daftray.domain.run import Attempt, Run
from daftray.domain.spec import Budget, Retries, RunSpec
from daftray.domain.status import RunPhase, RunStatus

LIST_COLUMNS = ["RUN", "STATUS", "ENTRYPOINT", "CREATED", "SECONDS", "NAME", "COMMIT", "TOKENS"]
_ATTEMPT_COLUMNS = ["ATTEMPT", "STATUS", "REASON", "EXIT", "SECONDS", "ENDED", "DETAIL"]


def list_row(run: Run) -> list[object]:
    """Return a run's cells under `LIST_COLUMNS`. The seconds are those of its last attempt."""
    seconds = (
        (run.completed_at - run.started_at).total_seconds() if run.started_at and run.completed_at else None
    )
    usage = run.usage
    tokens = [part for part in (usage.tokens_in, usage.tokens_out) if part is not None] if usage else []
    tried = f" ({run.attempt} attempts)" if run.attempt > 1 else ""
    return [
        run.id,
        run.status.value + tried,
        run.entrypoint.label,
        run.created_at,
        seconds,
        run.name,
        run.commit[:10] if run.commit else None,
        sum(tokens) if tokens else None,
    ]


def emit_run(run: Run) -> None:
    """Print what is known of a run: facts, attempts, and the end of the log of one that failed."""
    tables.emit_facts(_facts(run))
    if run.attempts:
        screen.emit("")
        tables.emit_table(_ATTEMPT_COLUMNS, [_attempt_row(attempt) for attempt in run.attempts])
    failed = _last_failed(run)
    if failed and failed.last_lines:
        screen.emit(f"\nLast lines of attempt {failed.number}:")
        screen.emit("\n".join(f"  {line}" for line in failed.last_lines))
        if failed.log_removed_at:
            screen.emit(f"(The rest of its log was removed at {screen.cell(failed.log_removed_at)}.)")


def _last_failed(run: Run) -> Attempt | None:
    """Return the attempt whose end tells why the run failed, or is tried again."""
    failed = [one for one in run.attempts if one.status is RunStatus.FAILED]
    return failed[-1] if failed and run.status is not RunStatus.SUCCEEDED else None


def _attempt_row(attempt: Attempt) -> list[object]:
    started, ended = attempt.started_at, attempt.ended_at
    return [
        attempt.number,
        attempt.status.value,
        attempt.reason.value if attempt.reason else None,
        attempt.exit_code,
        (ended - started).total_seconds() if started and ended else None,
        ended,
        attempt.reason_detail,
    ]


def _facts(run: Run) -> list[tuple[str, object]]:
    git = run.source.git
    return [
        ("run", run.id),
        ("name", run.name),
        ("status", run.status.value),
        ("phase", None if run.status.terminal else run.phase.value),
        ("waiting for", run.waiting_for),
        ("attempt", run.attempt if run.attempt > 1 else None),
        ("next attempt", run.not_before if run.phase is RunPhase.QUEUED else None),
        ("reason", run.reason.value if run.reason else None),
        ("detail", run.reason_detail),
        ("exit code", run.exit_code),
        ("entrypoint", run.entrypoint.label),
        ("commit", run.commit or (git.hash if git else None)),
        ("ref", git.ref if git else None),
        ("patch", "yes" if git and git.patch else None),
        ("labels", " ".join(f"{name}={value}" for name, value in run.labels.items())),
        ("rerun of", run.rerun_of),
        *bounds(run),
        ("created", run.created_at),
        ("started", run.started_at),
        ("completed", run.completed_at),
        ("phases", ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in run.timings.items())),
        ("cluster", run.cluster),
        ("ray job", run.ray.submission_id if run.ray else None),
        ("ray page", run.ray.dashboard_url if run.ray else None),
        *(_usage(run.usage) if run.usage else ()),
        ("warnings", "; ".join(run.warnings)),
    ]


def bounds(spec: RunSpec) -> list[tuple[str, object]]:
    """Return what bounds a run, or the runs of a task, as facts."""
    return [
        ("priority", spec.priority or None),
        ("retries", _retries(spec.retries) if spec.retries else None),
        ("timeouts", _timeouts(spec)),
        ("budget", _budget(spec.budget) if spec.budget else None),
    ]


def _usage(usage: UsageSummary) -> list[tuple[str, object]]:
    return [
        ("requests", usage.requests),
        ("tokens in", usage.tokens_in),
        ("tokens out", usage.tokens_out),
        ("CPU seconds", usage.cpu_seconds),
        ("cost", None if usage.cost is None else screen.dollars(usage.cost)),
    ]


def _budget(budget: Budget) -> str:
    bounds = ((budget.tokens, "tokens"), (budget.requests, "requests"))
    parts = [f"{most:,} {unit}" for most, unit in bounds if most is not None]
    return ", ".join(parts + ([screen.dollars(budget.usd)] if budget.usd is not None else []))


def _retries(retries: Retries) -> str:
    on = "the platform's reasons" if retries.on is None else ", ".join(reason.value for reason in retries.on)
    return f"at most {retries.max}, after {on or 'none'}; the first after {written(retries.backoff)}"


def _timeouts(run: RunSpec) -> str:
    bounds = (("queue", run.queue_timeout_s), ("start", run.start_timeout_s), ("run", run.timeout_s))
    return ", ".join(f"{name} {written(seconds)}" for name, seconds in bounds if seconds is not None)
