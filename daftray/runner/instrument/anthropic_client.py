"""The ``anthropic`` client, and its kinds for Bedrock, Vertex and Foundry: messages and (old) completions.

Message batches are answered later, by file: their tokens stay unknown.
"""

from __future__ import annotations

from daftray.runner.instrument import stainless
from daftray.runner.shapes import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_OPERATIONS = {"v1/messages": "chat", "v1/complete": "text_completion"}
_PROVIDERS = {"Bedrock": "aws.bedrock", "Vertex": "gcp.vertex_ai", "Foundry": "azure.ai.inference"}
"""Parts of the names of clients that speak to somebody else, by OpenTelemetry's names of them."""
_INPUT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
"""The API leaves what its cache wrote and read out of ``input_tokens``; it is input all the same."""


def patch(module: ModuleType) -> None:
    """Count what the client sends."""
    stainless.patch(module, stainless.Api(_OPERATIONS, _provider, _usage))


def _provider(client: object) -> str:
    for kind in type(client).__mro__:
        for part, provider in _PROVIDERS.items():
            if part in kind.__name__:
                return provider
    return "anthropic"


def _usage(body: dict[str, Any]) -> tuple[object, object]:  # Any: that is what JSON is
    """Return tokens in and out as an answer tells them, or the events that begin and end a stream."""
    begun = json_object(body.get("message")) or {}
    usage = json_object(body.get("usage") or begun.get("usage")) or {}
    parts = [usage.get(name) for name in _INPUT]
    tokens_in = sum(part for part in parts if isinstance(part, int)) if isinstance(parts[0], int) else None
    return tokens_in, usage.get("output_tokens")
