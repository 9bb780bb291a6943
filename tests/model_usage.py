"""What a run reported of its calls of models, beside what a stand-in for their provider served."""

from __future__ import annotations

from control_stub import ControlStub
from model_server import ModelServer

REQUESTS = "daftray.requests"
TOKENS = "gen_ai.client.token.usage"


def assert_as_served(control: ControlStub, server: ModelServer) -> None:
    """Hold what was reported to what was served, to the token."""
    assert control.total(REQUESTS) == server.requests
    assert control.total(REQUESTS, {"daftray.outcome": "error"}) == server.failed
    assert control.total(TOKENS, {"gen_ai.token.type": "input"}) == server.tokens_in
    assert control.total(TOKENS, {"gen_ai.token.type": "output"}) == server.tokens_out


def counted(control: ControlStub, model: str) -> tuple[float, float, float]:
    """Return requests, tokens in and tokens out of a model."""
    of = {"gen_ai.request.model": model}
    tokens_in = control.total(TOKENS, {**of, "gen_ai.token.type": "input"})
    tokens_out = control.total(TOKENS, {**of, "gen_ai.token.type": "output"})
    return control.total(REQUESTS, of), tokens_in, tokens_out


def described(control: ControlStub, attribute: str) -> set[str]:
    """Return the values of an attribute of requests."""
    return {dict(pairs)[attribute] for (_, metric, pairs) in control.counters() if metric == REQUESTS}
