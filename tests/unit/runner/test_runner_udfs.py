"""What leaves a UDF is counted, whatever Daft makes of it; and Daft and Ray still are as the hooks know."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import daft
import pytest
from daft import pickle
from daft.execution import ray_actor_pool_udf
from daft.runners import flotilla
from daft.udf import execution, legacy, metrics, udf_v2
from ray._private import function_manager
from runner_process import Runs, file, function

from daftray.runner.instrument import HOOKS, daft_func
from daftray.runner.instrument.daft_actors import ANOTHER_POOL_S, PATIENCE_S, Patience
from daftray.runner.instrument.ray_tasks import _ASKED_BEFORE_THE_END, _TASK_OF_A_QUERY
from daftray.runner.instrument.udf_calls import Udf, Udfs, preview

SHAPES = """
import daft, daftray, os
from collections.abc import Iterator
from daft import DataType, Series, col

class BadRow(Exception):
    pass

def check(n):
    if n == 3:
        raise BadRow(f"bad {n}")  # here
    return n

def of(numbers):
    daftray.increment("batches")
    return [check(n) for n in numbers.to_pylist()]

INT = DataType.int64()

@daft.func
def row(n: int) -> int: return check(n)
@daft.func(on_error="log")
def logged(n: int) -> int: return check(n)
@daft.func(on_error="ignore", max_retries=2)
def retried(n: int) -> int: return check(n)
@daft.func
def generator(n: int) -> Iterator[int]: yield check(n)
@daft.func(on_error="ignore", max_retries=1)
async def arow(n: int) -> int: return check(n)
@daft.func.batch(return_dtype=INT, on_error="log", max_retries=2)
def batch(n: Series) -> Series: return of(n)
@daft.func.batch(return_dtype=INT, on_error="ignore", max_retries=1)
async def abatch(n: Series) -> Series: return of(n)
@daft.udf(return_dtype=INT)
def older(n): return of(n)
@daft.udf(return_dtype=INT)
class OlderInit:
    def __init__(self): check(3)
    def __call__(self, n): return n
@daft.cls
class Kind:
    def __init__(self, n): self.n = check(n)
    def __call__(self, n: int) -> int: return check(n)
    @daft.method(on_error="ignore")
    def quiet(self, n: int) -> int: return check(n)
@daft.func(use_process=True)
def elsewhere(n: int) -> int: return check(n)

UDFS = [row, logged, retried, generator, arow, batch, abatch, older, OlderInit,
        Kind(0), Kind(0).quiet, Kind(3), elsewhere]
for udf in UDFS:
    try:
        daft.from_pydict({"n": [1, 2, 3, 4]}).select(udf(col("n"))).collect()
    except Exception as error:
        print(type(error).__name__)
"""
EXPECTED = {
    ("row", "raise"): 1,
    ("logged", "log"): 1,
    ("retried", "retry"): 2,
    ("retried", "ignore"): 1,
    ("generator", "raise"): 1,
    ("arow", "retry"): 1,
    ("arow", "ignore"): 1,
    ("batch", "retry"): 2,
    ("batch", "log"): 1,
    ("abatch", "retry"): 1,
    ("abatch", "ignore"): 1,
    ("older", "raise"): 1,
    ("OlderInit", "raise"): 1,
    ("Kind.__call__", "raise"): 1 + 4,  # one row, and an instance that cannot be made for each of four
    ("Kind.quiet", "ignore"): 1,
    ("elsewhere", "raise"): 1,
}
QUIET = {"DAFT_RUNNER": "native", "DAFT_PROGRESS_BAR": "0", "PYTHONWARNINGS": "ignore"}


def test_every_shape_of_udf_tells_its_exceptions_and_what_became_of_them(runs: Runs) -> None:
    runs.write({"flow.py": SHAPES})

    done = runs.run(file("flow.py"), DAFTRAY_ARGUMENT_PREVIEWS="1", timeout_s=60, **QUIET)

    assert done.returncode == 0, done.stderr
    told: dict[tuple[str, str], int] = {}
    for record in runs.control.problems().values():
        last, udf = record["info"]["frames"][-1], record["daftray.udf"].removeprefix("__main__.")
        assert (last["file"], last["function"], last["user"]) == ("flow.py", "check", True)
        assert last["code"].endswith("# here")
        assert SHAPES.splitlines()[last["line"] - 1].strip() == last["code"]
        assert record["samples"][0]["message"] == "bad 3"
        key = (udf, record["daftray.handled"])
        told[key] = told.get(key, 0) + record["count"]
        if udf in {"row", "retried", "generator", "arow"}:
            assert record["samples"][0]["arguments"] == ["3"]
    assert told == EXPECTED
    udfs = {
        dict(pairs)["daftray.udf"] for (_, metric, pairs) in runs.control.counters() if "batches" in metric
    }
    assert udfs == {"__main__.batch", "__main__.abatch", "__main__.older"}


def test_arguments_stay_in_the_run_unless_they_are_asked_for(runs: Runs) -> None:
    runs.write({"flow.py": SHAPES.replace("bad {n}", "bad").replace("UDFS = [", "UDFS = [row, logged] or [")})

    runs.run(file("flow.py"), timeout_s=60, **QUIET)

    assert len(runs.control.problems()) == 2
    samples = [sample for record in runs.control.problems().values() for sample in record["samples"]]
    assert [set(sample) for sample in samples] == [{"at_ns", "message", "worker"}] * 2


def test_the_exception_that_ends_the_run_is_counted_once(runs: Runs) -> None:
    source = """
import daft
@daft.func.batch(return_dtype=daft.DataType.int64())
def fail(numbers: daft.Series) -> daft.Series:
    raise ZeroDivisionError("theirs")
def main():
    frame = daft.from_pydict({"n": [1]})
    return frame.select(fail(frame["n"]))
"""
    runs.write({"flow.py": source})

    runs.run(function("flow.py", "main"), timeout_s=60, **QUIET)

    (((process, key), record),) = runs.control.problems().items()
    assert runs.control.finished["problem"] == {"process": process, "key": key, "udf": "flow.fail"}
    assert runs.control.finished["exception"] == record["info"]


def test_counters_of_daft_are_counters_of_the_run(runs: Runs) -> None:
    """Daft's own would be lost with the query that fails."""
    source = """
import daft
from daft.udf.metrics import increment_counter
@daft.func
def row(n: int) -> int:
    increment_counter("seen", 2, attributes={"kind": "a"})
    return 1 // (n - 3)
frame = daft.from_pydict({"n": [1, 2, 3]})
frame.select(row(frame["n"])).collect()
"""
    runs.write({"flow.py": source})

    done = runs.run(file("flow.py"), timeout_s=60, **QUIET)

    assert done.returncode == 1
    assert runs.control.total("daftray.user.seen", {"kind": "a", "daftray.udf": "__main__.row"}) == 6


def test_without_hooks_daft_is_as_it_was(runs: Runs) -> None:
    source = """
import daft
from daft.runners import flotilla
from daft.udf import execution, legacy
for one in (execution.call_func, legacy.run_udf):
    print(one.__module__, hasattr(one, "__wrapped__"))
"""
    runs.write({"flow.py": source})

    for hooks, watched in (("0", "False"), ("1", "True")):
        printed = runs.run(file("flow.py"), DAFTRAY_HOOKS=hooks).stdout.split()
        assert printed == ["daft.udf.execution", watched, "daft.udf.legacy", watched]


def parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_hook_points_of_daft_are_where_they_were() -> None:
    """Fails when a new version of Daft moves what the hooks hold on to: then they would count nothing."""
    assert parameters(execution.call_func) == ["cls", "method", "original_args", "evaluated_args"]
    assert parameters(execution.call_batch_func) == ["cls", "method", "original_args", "evaluated_args"]
    assert parameters(execution.call_batch_async) == ["cls", "method", "original_args", "evaluated_args"]
    assert parameters(execution.call_async_func_batched) == [
        "cls",
        "method",
        "return_dtype",
        "original_args",
        "evaluated_args_list",
    ]
    assert inspect.iscoroutinefunction(execution.call_batch_async)
    assert inspect.iscoroutinefunction(execution.call_async_func_batched)
    assert {"_cls", "_method", "name", "func_id", "on_error", "max_retries"} <= set(
        udf_v2.Func.__dataclass_fields__
    )
    assert "__post_init__" in vars(udf_v2.Func)
    assert parameters(legacy.run_udf)[0] == "func"
    assert parameters(legacy.UninitializedUdf.initialize) == ["self", "init_args"]
    assert parameters(metrics.increment_counter) == ["name", "amount", "description", "attributes"]
    assert "ray.kill(self.actor)" in inspect.getsource(ray_actor_pool_udf.UDFActorHandle.teardown)
    assert inspect.isasyncgenfunction(_modified(flotilla.RaySwordfishActor).run_plan)
    assert flotilla.SwordfishTaskMetadata.__name__ == "SwordfishTaskMetadata"
    assert callable(_modified(ray_actor_pool_udf.UDFActor).get_node_id)
    places = {(each.__module__, each.__name__) for each in map(_modified, ACTORS)}
    assert places == {_ASKED_BEFORE_THE_END[:2], _TASK_OF_A_QUERY[:2]}


ACTORS: tuple[Any, ...] = (ray_actor_pool_udf.UDFActor, flotilla.RaySwordfishActor)


def _modified(actor: Any) -> Any:
    """Return the class that Ray sends to workers."""
    return actor.__ray_metadata__.modified_class


def test_a_udf_carries_what_becomes_of_its_exceptions_to_where_it_is_called() -> None:
    """Through Daft's own pickling, and in plain types only."""

    @daft.func(on_error="log", max_retries=3)
    def one(n: int) -> int:
        return n

    daft_func._note(one)
    there = pickle.loads(pickle.dumps((one._cls, one._method)))
    udf = Udfs().find(*there)
    assert (udf.name, udf.on_error, udf.retries) == (one.name, "log", 3)


def test_the_hook_points_of_ray_are_where_they_were() -> None:
    manager = function_manager.FunctionActorManager
    assert parameters(manager.get_execution_info) == ["self", "job_id", "function_descriptor"]
    assert function_manager.FunctionExecutionInfo._fields == ("function", "function_name", "max_calls")
    assert "actor_method_executor.method = method" in inspect.getsource(manager._make_actor_method_executor)


@pytest.mark.parametrize("name", [name for name in HOOKS if name.startswith(("daft.", "ray."))])
def test_a_library_of_another_shape_is_left_alone_with_a_word(runs: Runs, name: str) -> None:
    """As a version to come may be: the program runs, and somebody learns that something is not counted."""
    files = {
        f"{name.replace('.', '/')}.py": "value = 1\n",
        "main.py": f"import {name} as it\nprint(it.value)\n",
    }
    parts = name.split(".")[:-1]
    for at in range(len(parts)):
        files["/".join(parts[: at + 1]) + "/__init__.py"] = ""
    runs.write(files)

    done = runs.run(file("main.py"))

    assert (done.returncode, done.stdout) == (0, "1\n")
    assert done.stderr.startswith(f"daftray: usage of {name} is not counted")


def test_the_repetitions_of_calls_that_go_on_at_once_are_told_apart() -> None:
    udf = Udf("u", "log", 2)
    told: list[tuple[str, str]] = []
    for call in ("a", "b", "a", "a", "b", "a"):
        told.append((call, udf.handled(call)))
        udf.failed(call)
    udf.succeeded("b")

    assert [handled for call, handled in told if call == "a"] == ["retry", "retry", "log", "retry"]
    assert [udf.handled("a"), udf.handled("b")] == ["retry", "retry"]
    assert Udf("u", "ignore", 0).handled("a") == "ignore"


def test_what_is_known_of_a_udf_goes_with_it() -> None:
    class Instance:
        pass

    def method() -> None:
        pass

    udfs, instance = Udfs(), Instance()
    assert udfs.find(instance, method) is udfs.known[(id(instance), id(method))]
    del instance
    assert udfs.known == {}
    assert udfs.find(object(), len).name == "builtins.len"


def test_previews_are_short_and_never_fail() -> None:
    class Hidden:
        def __repr__(self) -> str:
            raise ValueError("no")

    shown = preview(["x" * 10_000, Hidden(), *range(100)])

    assert len(shown) == 20
    assert max(map(len, shown)) <= 203
    assert shown[1] == "<it cannot be shown: ValueError>"


def test_actors_that_end_together_are_waited_for_together() -> None:
    patience = Patience()
    gap_s = 2 * ANOTHER_POOL_S

    assert patience.left_s(100.0) == PATIENCE_S
    patience.waited(100.0, 100.5)
    assert patience.left_s(100.5) == PATIENCE_S - 0.5
    patience.waited(100.5, 100.5 + PATIENCE_S)
    assert patience.left_s(100.5 + PATIENCE_S) == 0
    patience.waited(102.5, 102.5)
    # Another pool, soon after one that would not answer, has all of its own time.
    assert patience.left_s(102.5 + gap_s) == PATIENCE_S
