"""From counts of all runs to Prometheus's metric families: names, help and labels."""

from __future__ import annotations

from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

import daftray
from daftray.domain.status import RunPhase
from daftray.domain.tally import PHASE_SECONDS, Tallies

_BOUNDS = (*(f"{bound:g}" for bound in PHASE_SECONDS), "+Inf")


def of_server(*, reachable: bool) -> list[Metric]:
    """Return what is known without the database."""
    build = GaugeMetricFamily(
        "daftray_build_info", "The version of the server; always 1.", labels=["version"]
    )
    build.add_metric([daftray.__version__], 1)
    up = GaugeMetricFamily("daftray_database_up", "Whether the database answered this server: 1 or 0.")
    up.add_metric([], int(reachable))
    return [build, up]


def of_tallies(tallies: Tallies) -> list[Metric]:
    """Return what is counted of all runs."""
    return [*_of_live_runs(tallies), _of_ended_runs(tallies), *_of_usage(tallies), _of_phases(tallies)]


def _of_live_runs(tallies: Tallies) -> list[Metric]:
    live = GaugeMetricFamily(
        "daftray_live_runs", "Runs that have not ended, by phase.", labels=["project", "phase"]
    )
    depth = GaugeMetricFamily("daftray_queue_depth", "Runs that wait for a place.", labels=["project"])
    oldest = GaugeMetricFamily(
        "daftray_queue_oldest_seconds", "How long the oldest of them has waited.", labels=["project"]
    )
    silent = GaugeMetricFamily(
        "daftray_report_silence_seconds",
        "The longest time since the last report of a run whose code runs.",
        labels=["project"],
    )
    for one in tallies.live:
        live.add_metric([one.project, one.phase], one.count)
        if one.phase is RunPhase.QUEUED:
            oldest.add_metric([one.project], one.oldest_s)
    queued = {one.project: one.count for one in tallies.live if one.phase is RunPhase.QUEUED}
    for used in tallies.usage:  # each project, so that an empty queue is 0 and not nothing
        depth.add_metric([used.project], queued.get(used.project, 0))
    for quiet in tallies.silent:
        silent.add_metric([quiet.project], quiet.longest_s)
    return [live, depth, oldest, silent]


def _of_ended_runs(tallies: Tallies) -> Metric:
    ended = CounterMetricFamily(
        "daftray_runs_ended",
        "Runs that have ended, by status and, of failed ones, reason.",
        labels=["project", "status", "reason"],
    )
    for one in tallies.ended:
        ended.add_metric([one.project, one.status, one.reason or ""], one.count)
    return ended


def _of_usage(tallies: Tallies) -> list[Metric]:
    requests = CounterMetricFamily("daftray_usage_requests", "Requests to models.", labels=["project"])
    tokens = CounterMetricFamily(
        "daftray_usage_tokens", "Tokens of models, by direction (in, out).", labels=["project", "direction"]
    )
    cpu = CounterMetricFamily("daftray_usage_cpu_seconds", "CPU seconds of runs.", labels=["project"])
    cost = CounterMetricFamily(
        "daftray_usage_cost_usd", "Dollars, of what has a price in its project.", labels=["project"]
    )
    for used in tallies.usage:
        requests.add_metric([used.project], used.requests)
        tokens.add_metric([used.project, "in"], used.tokens_in)
        tokens.add_metric([used.project, "out"], used.tokens_out)
        cpu.add_metric([used.project], used.cpu_seconds)
        cost.add_metric([used.project], used.cost)
    return [requests, tokens, cpu, cost]


def _of_phases(tallies: Tallies) -> Metric:
    phases = HistogramMetricFamily(
        "daftray_run_phase_seconds", "How long runs that ended were in a phase.", labels=["phase"]
    )
    for times in tallies.phases:
        counts = zip(_BOUNDS, accumulate(times.counts), strict=True)
        phases.add_metric([times.phase], [(bound, count) for bound, count in counts], times.seconds)
    return phases
