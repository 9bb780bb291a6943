"""A run's usage in Ray's own metrics, by the run's id, for the boards that people have beside Ray's.

Only in processes where Ray runs already, and at each flush but the last: what is exact and whole is the run's
own page. Ray exports ``ray_daftray_requests_total``, ``ray_daftray_tokens_total`` and, for counters of the
user's own, ``ray_daftray_counts_total``, where the cluster's metrics are collected at all.
"""

from __future__ import annotations

import sys

from daftray.runner import names
from daftray.runner.say import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Series = tuple[str, tuple[tuple[str, str], ...]]

_RUN = "run_id"
_USAGE = {
    "model": names.MODEL,
    "provider": names.PROVIDER,
    "operation": names.OPERATION,
    "udf": names.UDF,
}
_SHOWN = {
    names.REQUESTS: ("daftray_requests", "Calls of models", {**_USAGE, "outcome": names.OUTCOME}),
    names.TOKENS: ("daftray_tokens", "Tokens of models", {**_USAGE, "type": names.TOKEN_TYPE}),
}
"""Ray's name of a metric, what it is, and its tags by the attributes that they show."""
_OWN = ("daftray_counts", "Counters of a run's own code")


class RayMetrics:
    """Adds to Ray's metrics what is new in this process's counts."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._shown: dict[Series, float] = {}
        self._counters: dict[str, Any] = {}  # of Ray's own class
        self._failed = False

    def show(self, values: Mapping[Series, float]) -> None:
        """Add these cumulative counts, as far as they have grown. Does nothing where Ray does not run."""
        ray = sys.modules.get("ray")
        is_running = getattr(ray, "is_initialized", None)
        if self._failed or is_running is None:
            return
        try:
            if is_running():
                for series, value in values.items():
                    self._add(series, value)
        except Exception as error:
            self._failed = True
            say(f"this process's usage is not in Ray's metrics: {type(error).__name__}: {error}")

    def _add(self, series: Series, value: float) -> None:
        metric, attributes = series
        new = value - self._shown.get(series, 0)
        if metric in _SHOWN:
            name, description, tags = _SHOWN[metric]
            known = dict(attributes)
            tagged = {tag: known.get(attribute, "") for tag, attribute in tags.items()}
        elif metric.startswith(names.CUSTOM_PREFIX):
            (name, description), tagged = _OWN, {"name": metric.removeprefix(names.CUSTOM_PREFIX)}
        else:
            return
        if new > 0:
            self._counter(name, description, tuple(tagged)).inc(new, tags={_RUN: self._run_id, **tagged})
            self._shown[series] = value

    def _counter(self, name: str, description: str, tags: tuple[str, ...]) -> Any:
        if name not in self._counters:
            from ray.util.metrics import Counter  # one file more, of what runs already

            self._counters[name] = Counter(name, description=description, tag_keys=(_RUN, *tags))
        return self._counters[name]
