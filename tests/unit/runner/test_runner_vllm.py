"""vLLM's engines inside a run, by a package of their shape: each prompt is a request, with its own tokens."""

from __future__ import annotations

from model_usage import counted, described
from runner_process import Runs, file, function
from vllm_stand_in import FILES

HEAD = """
import asyncio
from vllm import LLM, AsyncLLMEngine, PoolingParams, SamplingParams
from vllm.outputs import RequestOutputKind
def params(**more): return SamplingParams(max_tokens=4, **more)
PROMPTS = ["one two three", "four five"]
"""


def run(runs: Runs, body: str) -> str:
    runs.write({**FILES, "main.py": HEAD + body})
    done = runs.run(file("main.py"))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def outcomes(runs: Runs, model: str) -> tuple[float, float]:
    """Return requests that were answered, and that failed."""
    of = {"gen_ai.request.model": model}
    ok, error = ({**of, "daftray.outcome": outcome} for outcome in ("ok", "error"))
    return runs.control.total("daftray.requests", ok), runs.control.total("daftray.requests", error)


def test_each_prompt_counts_once_with_its_tokens(runs: Runs) -> None:
    body = """
print(len(LLM(model="offline").generate(PROMPTS, params())))
LLM(model="several").generate(PROMPTS, params(n=3))
LLM(model="embeddings").embed(PROMPTS)
LLM(model="vectors").generate([{"prompt_embeds": [0.5]}], params())
"""
    printed = run(runs, body)

    assert printed == "2\n"
    assert counted(runs.control, "offline") == (2, 5, 2 * 4)
    assert counted(runs.control, "several") == (2, 5, 2 * 3 * 4)
    assert counted(runs.control, "embeddings") == (2, 5, 0)
    assert counted(runs.control, "vectors") == (1, 0, 4)
    assert described(runs.control, "gen_ai.provider.name") == {"vllm"}
    assert described(runs.control, "gen_ai.operation.name") == {"text_completion", "embeddings"}


def test_an_asynchronous_engine_counts_sums_and_what_is_new(runs: Runs) -> None:
    body = """
async def read(engine, **more):
    async for output in engine.generate(PROMPTS[0], params(**more), "1"):
        pass
    return output.outputs[0].text
async def main():
    print(await read(AsyncLLMEngine("sums")))
    await asyncio.gather(*[read(AsyncLLMEngine("new"), output_kind=RequestOutputKind.DELTA, n=2)] * 1)
    await read(AsyncLLMEngine("last"), output_kind=RequestOutputKind.FINAL_ONLY)
    async for _ in AsyncLLMEngine("pooled").encode(
        prompt=PROMPTS[1], pooling_params=PoolingParams(), request_id="1"
    ):
        pass
    left = AsyncLLMEngine("left")
    outputs = left.generate(prompt=PROMPTS[0], sampling_params=params(), request_id="9")
    async for _ in outputs:
        break
    await outputs.aclose()
    print(left.aborted)
    try:
        async for _ in AsyncLLMEngine("empty").generate("", params(), "1"):
            pass
    except ValueError as error:
        print(error)
asyncio.run(main())
"""
    printed = run(runs, body)

    assert printed == "word word word word \n['9']\nthe prompt is empty\n"
    assert counted(runs.control, "sums") == counted(runs.control, "last") == (1, 3, 4)
    assert counted(runs.control, "new") == (1, 3, 8)
    assert counted(runs.control, "pooled") == (1, 2, 0)
    assert counted(runs.control, "left") == (1, 3, 1)
    assert (outcomes(runs, "left"), outcomes(runs, "empty")) == ((1, 0), (0, 1))


def test_what_an_engine_does_not_finish_has_failed(runs: Runs) -> None:
    body = """
def expect(kind, call):
    try:
        call()
    except kind as error:
        print(error)
engine = LLM(model="refused").llm_engine
expect(ValueError, lambda: engine.add_request("0", "", params()))
engine = LLM(model="aborted").llm_engine
engine.add_request(request_id="0", prompt=PROMPTS[0], params=params())
engine.step()
engine.abort_request(["0"])
dead = LLM(model="dead")
dead.llm_engine.dies = True
expect(RuntimeError, lambda: dead.generate(PROMPTS, params()))
"""
    printed = run(runs, body)

    assert printed == "the prompt is empty\nthe engine is dead\n"
    assert outcomes(runs, "refused") == outcomes(runs, "aborted") == (0, 1)
    assert counted(runs.control, "aborted") == (1, 3, 1)
    assert outcomes(runs, "dead") == (0, 2)


def test_an_engine_that_serves_others_leaves_counting_to_them(runs: Runs) -> None:
    body = """
import vllm.entrypoints.openai.api_server
async def main():
    async for _ in AsyncLLMEngine("served").generate(PROMPTS[0], params(), "1"):
        pass
asyncio.run(main())
"""
    run(runs, body)

    assert counted(runs.control, "served") == (0, 0, 0)


def test_dafts_own_provider_is_counted_in_the_engine_below_it(runs: Runs) -> None:
    source = """
import time
import daft
from daft.execution.vllm import LocalVLLMExecutor

def main():
    from vllm import SamplingParams
    executor = LocalVLLMExecutor("dafts", {}, {"sampling_params": SamplingParams(max_tokens=4)})
    rows = daft.recordbatch.RecordBatch.from_pydict({"text": ["one two three"] * 5})
    executor.submit("", rows.to_pydict()["text"], rows)
    executor.finished_submitting()
    texts, deadline = [], time.monotonic() + 20
    while not executor.all_tasks_finished() and time.monotonic() < deadline:
        texts += (executor.poll() or ([], None))[0]
    return texts
"""
    runs.write({**FILES, "flow.py": source})

    done = runs.run(function("flow.py", "main"))

    assert done.returncode == 0, done.stderr
    assert runs.control.result["value"] == ["word word word word "] * 5
    assert counted(runs.control, "dafts") == (5, 15, 20)
