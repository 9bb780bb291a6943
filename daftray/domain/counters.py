"""What processes of a run count, under which names.

A count only ever grows, so the greatest report of it is the true one, in whatever order reports come.
"""

from __future__ import annotations

import msgspec

REQUESTS = "daftray.requests"
"""Calls of a model, by model, provider, operation and outcome."""
TOKENS = "gen_ai.client.token.usage"
"""Tokens by ``gen_ai.token.type`` (input or output). The name is OpenTelemetry's (GenAI conventions)."""
CPU_TIME = "process.cpu.time"
"""Seconds of CPU by process and ``cpu.mode``. The name is OpenTelemetry's (system conventions)."""
RESERVED_CPU = "daftray.cpu.reserved"
"""Seconds of CPU that Ray set aside: requested CPUs by the running time of tasks and actors."""
RESERVED_PARTIAL = "daftray.cpu.reserved.partial"
"""More than 0 where Ray told of some of the tasks only."""
CUSTOM_PREFIX = "daftray.user."
"""What `daftray.increment` counts, before the user's own name."""

TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 (an attribute's name)
MODEL = "gen_ai.request.model"
PROVIDER = "gen_ai.provider.name"
OPERATION = "gen_ai.operation.name"
OUTCOME = "daftray.outcome"
SUCCEEDED = "ok"
FAILED = "error"
"""The outcome of a request that brought no answer."""
UDF = "daftray.udf"


class Counter(msgspec.Struct, frozen=True, kw_only=True):
    """One cumulative count of one process: it only grows, so the greatest report is the true one."""

    process: str
    metric: str
    attributes: dict[str, str]
    value: float


class CounterTotal(msgspec.Struct, frozen=True, kw_only=True):
    """A count of an attempt, summed over its processes."""

    metric: str
    attributes: dict[str, str]
    value: float
    attempt: int = 1
