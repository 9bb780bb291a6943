"""vLLM inside the run's own processes: ``LLM``, and the engines below it that Daft's vLLM provider also uses.

A prompt is one request. Its tokens are those of its outputs: the engines name them all, or (``DELTA``) only
those that are new. What speaks to a vLLM *server* is counted where it speaks: an engine that serves others
is passed over, since its clients may be in this run too.
"""

from __future__ import annotations

import functools
import inspect
import sys

from daftray.runner import names
from daftray.runner.instrument import UnknownShapeError
from daftray.runner.instrument.calls import Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_SERVERS = ("vllm.entrypoints.openai.api_server", "vllm.entrypoints.launchers.api_server.entry")
_OPEN = "_daftray_open"
"""Where an engine keeps the prompts that it works on."""


def patch(module: ModuleType) -> None:
    """Count what the engine of this module works on: the blocking one, or the asynchronous one."""
    engine = getattr(module, "LLMEngine", None)
    if engine is not None:
        points, patch_engine = ("add_request", "step", "abort_request"), _patch_engine
    else:
        engine, points, patch_engine = getattr(module, "AsyncLLM", None), ("generate", "encode"), _patch_async
    missing = [method for method in points if not callable(getattr(engine, method, None))]
    if missing:
        raise UnknownShapeError(f"it has no {', '.join(missing)}")
    patch_engine(engine)


class _Prompt:
    """A prompt that an engine works on, and how many tokens each of its outputs has so far."""

    __slots__ = ("_is_delta", "_written", "call")

    def __init__(self, engine: Any, params: Any) -> None:  # objects of the user's library
        kind = params.output_kind
        self._is_delta = getattr(kind, "name", None) == "DELTA"
        self._written: dict[int, int] = {}
        operation = "text_completion" if hasattr(params, "max_tokens") else "embeddings"
        self.call = Call(model=_model(engine), provider="vllm", operation=operation)

    def fold(self, output: Any) -> None:
        """Count the tokens that an output tells of; what it does not tell stays unknown."""
        prompt = output.prompt_token_ids
        tokens_in = None if prompt is None else len(prompt)
        parts: Any = output.outputs if hasattr(output.outputs, "__iter__") else ()  # a vector has none
        for part in parts:
            index, new = part.index, len(part.token_ids)
            known = self._written.get(index, 0)
            self._written[index] = known + new if self._is_delta else max(known, new)
        self.call.tokens(tokens_in, sum(self._written.values()))


def _patch_engine(engine: Any) -> None:
    add, step, abort = engine.add_request, engine.step, engine.abort_request

    @functools.wraps(add)
    def counted_add(self: Any, *args: Any, **kwargs: Any) -> Any:
        prompt = _begun(self, args, kwargs)
        try:
            answer = add(self, *args, **kwargs)
        except BaseException:
            _ended(prompt, names.ERROR)
            raise
        if prompt is not None:
            request_id = kwargs["request_id"] if "request_id" in kwargs else args[0]
            _opened(self)[request_id] = prompt
        return answer

    @functools.wraps(step)
    def counted_step(self: Any, *args: Any, **kwargs: Any) -> Any:
        opened = _opened(self)
        try:
            outputs = step(self, *args, **kwargs)
        except BaseException:
            _give_up(opened, list(opened))
            raise
        _stepped(opened, outputs)
        return outputs

    @functools.wraps(abort)
    def counted_abort(self: Any, request_ids: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return abort(self, request_ids, *args, **kwargs)
        finally:
            ids: list[Any] = [request_ids] if isinstance(request_ids, str) else list(request_ids)
            _give_up(_opened(self), ids)

    engine.add_request, engine.step, engine.abort_request = counted_add, counted_step, counted_abort


def _begun(engine: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Prompt | None:
    try:
        params = next(each for each in (*args, *kwargs.values()) if hasattr(each, "output_kind"))
        return _Prompt(engine, params)
    except Exception:
        return None


def _opened(engine: object) -> dict[Any, _Prompt]:
    fields = vars(engine)
    if _OPEN not in fields:
        fields[_OPEN] = {}
    return fields[_OPEN]


def _fold(prompt: _Prompt | None, output: Any) -> None:
    try:
        if prompt is not None:
            prompt.fold(output)
    except Exception:  # noqa: S110 (another shape than known: its tokens stay unknown)
        pass


def _ended(prompt: _Prompt | None, outcome: str) -> None:
    if prompt is not None:
        prompt.call.request(outcome)


def _stepped(opened: dict[Any, _Prompt], outputs: Any) -> None:
    for output in outputs:
        request_id = getattr(output, "request_id", None)
        _fold(opened.get(request_id), output)
        if getattr(output, "finished", False):
            _ended(opened.pop(request_id, None), names.ERROR if getattr(output, "error", None) else names.OK)


def _give_up(opened: dict[Any, _Prompt], request_ids: list[Any]) -> None:
    for request_id in request_ids:
        _ended(opened.pop(request_id, None), names.ERROR)


def _patch_async(engine: Any) -> None:
    for name in ("generate", "encode"):
        method = getattr(engine, name)
        if not inspect.isasyncgenfunction(method):
            raise UnknownShapeError(f"{name} is no asynchronous generator")
        setattr(engine, name, _counted_outputs(method))


def _counted_outputs(method: Any) -> Any:
    @functools.wraps(method)
    async def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        prompt = None if any(name in sys.modules for name in _SERVERS) else _begun(self, args, kwargs)
        outputs = method(self, *args, **kwargs)
        outcome = names.ERROR
        try:
            async for output in outputs:
                _fold(prompt, output)
                yield output
            outcome = names.OK
        except GeneratorExit:  # its reader has seen enough
            outcome = names.OK
            raise
        finally:
            _ended(prompt, outcome)
            await outputs.aclose()

    return counted


def _model(engine: Any) -> str | None:
    """Return the model's name, as whoever made the engine wrote it."""
    name = getattr(getattr(engine, "model_config", None), "model", None)
    return name if isinstance(name, str) else None
