"""Daft's AI functions: its providers call ``daft.ai.metrics.record_token_metrics`` after each answer.

They call the clients ``openai`` and ``google-genai``, whose hooks have counted the request and its tokens
by then. The rule: what is recorded after a call of a client library, in the same context and for the same
model, tells of that call; only tokens that the client's hook did not see are added.
"""

from __future__ import annotations

import functools

from daftray.runner import names
from daftray.runner.instrument import UnknownShapeError, warn
from daftray.runner.instrument.calls import Call, last
from daftray.runner.instrument.daft_counters import unwatched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_OPERATIONS = {"prompt": "chat", "embed": "embeddings"}
"""Daft's protocols by OpenTelemetry's names of operations; others keep Daft's."""


def patch(module: ModuleType) -> None:
    """Count what Daft records."""
    original = getattr(module, "record_token_metrics", None)
    if not callable(original):
        raise UnknownShapeError("it has no record_token_metrics")
    complained = False
    if hasattr(module, "increment_counter"):
        module.increment_counter = unwatched(module.increment_counter)  # type: ignore[attr-defined]

    @functools.wraps(original)
    def record_token_metrics(*args: Any, **kwargs: Any) -> Any:  # passed on as they come
        nonlocal complained
        try:
            _record(*args, **kwargs)
        except Exception as error:
            if not complained:
                complained = True
                warn("daft.ai", str(error))
        return original(*args, **kwargs)

    module.record_token_metrics = record_token_metrics  # type: ignore[attr-defined]


def _record(
    protocol: str,
    model: str,
    provider: str,
    *,
    input_tokens: int | None = None,
    output_tokens: int | None = None,
    **_: object,
) -> None:
    call = last.get()
    if call is not None and not call.claimed and _bare(call.model) == _bare(model):
        call.claimed = True
    else:
        call = Call(model=model, provider=provider, operation=_OPERATIONS.get(protocol, protocol))
        call.request(names.OK)
    call.tokens(input_tokens, output_tokens)


def _bare(model: str | None) -> str:
    """Return a model's name without where it is kept: ``models/gemini`` is sent, and told of, as both."""
    return str(model).rpartition("/")[2]
