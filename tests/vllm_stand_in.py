"""A package ``vllm`` of the shape of vLLM 0.33's engines, for the parts that count: no model, no GPU.

vLLM itself needs gigabytes and a GPU. Written after its public interfaces: who calls whom, with what, and
what outputs hold. A prompt has as many tokens as words, and is answered by as many as ``max_tokens`` asks
for, one each step.
"""

from __future__ import annotations

INIT = """
def __getattr__(name):
    from importlib import import_module
    at = {"LLM": "entrypoints.llm", "AsyncLLMEngine": "v1.engine.async_llm", "AsyncEngineArgs": "outputs",
          "SamplingParams": "outputs", "PoolingParams": "outputs"}.get(name)
    if at is None:
        raise AttributeError(name)
    return getattr(import_module(f"vllm.{at}"), name)
"""

OUTPUTS = """
import enum
class RequestOutputKind(enum.Enum):
    CUMULATIVE = 0
    DELTA = 1
    FINAL_ONLY = 2
class SamplingParams:
    def __init__(self, n=1, max_tokens=16, output_kind=RequestOutputKind.CUMULATIVE, **_):
        self.n, self.max_tokens, self.output_kind = n, max_tokens, output_kind
class PoolingParams:
    output_kind = RequestOutputKind.FINAL_ONLY
class AsyncEngineArgs:
    def __init__(self, model, **_):
        self.model = model
class ModelConfig:
    def __init__(self, model):
        self.model = model
class CompletionOutput:
    def __init__(self, index, token_ids):
        self.index, self.token_ids, self.text = index, token_ids, "word " * len(token_ids)
class PoolingOutput:
    data = [0.5]
class RequestOutput:
    def __init__(self, request_id, prompt, outputs, finished):
        self.request_id, self.outputs, self.finished = request_id, outputs, finished
        self.prompt_token_ids = None if isinstance(prompt, dict) else list(range(len(prompt.split())))
def outputs_of(request_id, prompt, params):
    "Yield what an engine tells of a prompt, step by step."
    if isinstance(params, PoolingParams):
        yield RequestOutput(request_id, prompt, PoolingOutput(), True)
        return
    for step in range(1, params.max_tokens + 1):
        finished = step == params.max_tokens
        if params.output_kind is RequestOutputKind.FINAL_ONLY and not finished:
            yield None
            continue
        tokens = [7] if params.output_kind is RequestOutputKind.DELTA else [7] * step
        outputs = [CompletionOutput(index, list(tokens)) for index in range(params.n)]
        yield RequestOutput(request_id, prompt, outputs, finished)
"""

LLM_ENGINE = """
from vllm.outputs import ModelConfig, outputs_of
class LLMEngine:
    def __init__(self, model):
        self.model_config, self._open, self.dies = ModelConfig(model), {}, False
    def add_request(self, request_id, prompt, params, arrival_time=None, **_):
        if not prompt:
            raise ValueError("the prompt is empty")
        self._open[request_id] = outputs_of(request_id, prompt, params)
        return f"{request_id}-internal"
    def has_unfinished_requests(self):
        return bool(self._open)
    def abort_request(self, request_ids, internal=False):
        for request_id in request_ids:
            self._open.pop(request_id, None)
    def step(self):
        if self.dies:
            raise RuntimeError("the engine is dead")
        told = [output for each in list(self._open.values()) if (output := next(each)) is not None]
        for output in told:
            if output.finished:
                del self._open[output.request_id]
        return told
"""

ASYNC_LLM = """
import asyncio
from vllm.outputs import ModelConfig, outputs_of
class AsyncLLM:
    def __init__(self, model):
        self.model_config, self.aborted = ModelConfig(model), []
    @classmethod
    def from_engine_args(cls, engine_args):
        return cls(engine_args.model)
    async def do_log_stats(self):
        pass
    async def generate(self, prompt, sampling_params, request_id, *, lora_request=None):
        try:
            if not prompt:
                raise ValueError("the prompt is empty")
            for output in outputs_of(request_id, prompt, sampling_params):
                await asyncio.sleep(0)
                if output is not None:
                    yield output
        except (asyncio.CancelledError, GeneratorExit):
            self.aborted.append(request_id)
            raise
    async def encode(self, prompt, pooling_params, request_id):
        for output in outputs_of(request_id, prompt, pooling_params):
            await asyncio.sleep(0)
            yield output
AsyncLLMEngine = AsyncLLM
"""

LLM = """
from vllm.outputs import PoolingParams, RequestOutputKind, SamplingParams
from vllm.v1.engine.llm_engine import LLMEngine
class LLM:
    def __init__(self, model, **_):
        self.llm_engine, self._next = LLMEngine(model), 0
    def generate(self, prompts, sampling_params=None):
        params = sampling_params or SamplingParams()
        params.output_kind = RequestOutputKind.FINAL_ONLY
        return self._run(prompts, params)
    def embed(self, prompts):
        return self._run(prompts, PoolingParams())
    def _run(self, prompts, params):
        for prompt in prompts:
            self.llm_engine.add_request(str(self._next), prompt, params)
            self._next += 1
        finished = []
        while self.llm_engine.has_unfinished_requests():
            finished += [output for output in self.llm_engine.step() if output.finished]
        return sorted(finished, key=lambda output: int(output.request_id))
"""

FILES = {
    "vllm/__init__.py": INIT,
    "vllm/outputs.py": OUTPUTS,
    "vllm/entrypoints/__init__.py": "",
    "vllm/entrypoints/llm.py": LLM,
    "vllm/entrypoints/openai/__init__.py": "",
    "vllm/entrypoints/openai/api_server.py": "",
    "vllm/v1/__init__.py": "",
    "vllm/v1/engine/__init__.py": "",
    "vllm/v1/engine/llm_engine.py": LLM_ENGINE,
    "vllm/v1/engine/async_llm.py": ASYNC_LLM,
}
"""The package, by path."""
