"""The ``openai`` client, versions 1 to 3, and whatever speaks its API (vLLM's server, Azure, many more)."""

from __future__ import annotations

from daftray.runner.instrument import stainless
from daftray.runner.shapes import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_OPERATIONS = {
    "chat/completions": "chat",
    "responses": "chat",
    "embeddings": "embeddings",
    "completions": "text_completion",
}


def patch(module: ModuleType) -> None:
    """Count what the client sends."""
    stainless.patch(module, stainless.Api(_OPERATIONS, _provider, _usage))


def _provider(client: object) -> str:
    azure = any(each.__name__ == "BaseAzureClient" for each in type(client).__mro__)
    return "azure.ai.openai" if azure else "openai"


def _usage(body: dict[str, Any]) -> tuple[object, object]:  # Any: that is what JSON is
    """Return tokens in and out as a body of any of the operations, or an event of a stream, tells them."""
    answer = json_object(body.get("response")) or {}
    usage = json_object(body.get("usage") or answer.get("usage")) or {}
    tokens_in = usage.get("input_tokens", usage.get("prompt_tokens"))
    tokens_out = usage.get("output_tokens", usage.get("completion_tokens"))
    return tokens_in, tokens_out
