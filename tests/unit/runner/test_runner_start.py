"""How a run starts, what it is given, and what it says where it cannot."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from typing import Any

import msgspec
import pytest
from control_stub import ControlStub
from runner_process import Runs, file, function, module

from daftray.domain.report import FinishedReport, StartedReport
from daftray.domain.result import RunResult
from daftray.runner import driver, workers
from daftray.runner.alias import Alias
from daftray.runner.control import ControlPlane, ControlPlaneError
from daftray.runner.settings import RunSettings


def test_reports_are_what_the_control_plane_expects(runs: Runs) -> None:
    runs.write({"main.py": "import daftray\ndaftray.set_result([1])\n1 / 0\n"})

    runs.run(file("main.py"))

    (started,) = runs.control.ending("/started")
    (finished,) = runs.control.ending("/finished")
    (result,) = runs.control.ending("/result")
    report = msgspec.json.decode(started.body, type=StartedReport)
    assert (report.attempt, report.host, report.at.utcoffset() is not None) == (1, os.uname().nodename, True)
    ended = msgspec.json.decode(finished.body, type=FinishedReport)
    assert ended.at >= report.at
    assert ended.exception is not None
    assert msgspec.json.decode(result.body, type=RunResult).value == msgspec.Raw(b"[1]")


def test_secrets_are_in_the_environment_before_user_code_and_nowhere_else(runs: Runs) -> None:
    runs.control.secrets = {"MY_SECRET": "s3cret", "DAFTRAY_TEST": "x"}
    source = "import os\nprint(os.environ['MY_SECRET'], os.environ['RAY_JOB_CONFIG_JSON_ENV_VAR'])\n"
    runs.write({"main.py": source})

    done = runs.run(file("main.py"), RAY_JOB_CONFIG_JSON_ENV_VAR='{"runtime_env": {}}')

    secret, _, config = done.stdout.partition(" ")
    assert secret == "s3cret"
    assert json.loads(config)["runtime_env"]["env_vars"] == {
        "DAFTRAY_PROCESS": "worker",
        "DAFTRAY_SECRETS": "1",
    }
    for request in runs.control.requests:
        assert b"s3cret" not in request.body


def test_a_slow_start_of_the_control_plane_is_waited_for_and_told_once(runs: Runs) -> None:
    runs.control.failures["started"] = [503, 502, 429]
    runs.write({"main.py": "print('ran')\n"})

    done = runs.run(file("main.py"))

    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith("answered 503: status 503; trying for 300 s\n")


@pytest.mark.parametrize("status", [401, 404, 409, 422])
def test_a_refusal_ends_the_run_with_what_was_said(runs: Runs, status: int) -> None:
    runs.control.failures["started"] = [status]
    runs.write({"main.py": "print('ran')\n"})

    done = runs.run(file("main.py"))

    assert (done.returncode, done.stdout) == (driver.NEVER_STARTED, "")
    assert done.stderr.startswith("daftray: this run cannot start: the control plane at http://127.0.0.1:")
    assert done.stderr.endswith(f"answered {status}: status {status}\n")


def test_outside_a_run_the_boot_says_what_it_needs(runs: Runs) -> None:
    done = subprocess.run(
        [runs.python, "-P", "-m", "_daftray_boot"],
        env={"PYTHONPATH": str(runs.package)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("daftray: this is no run: DAFTRAY_RUN_ID,")


def test_an_entrypoint_of_an_unknown_kind_is_refused(runs: Runs) -> None:
    done = runs.run({"notebook": {"path": "a.ipynb"}})

    assert done.returncode == driver.NEVER_STARTED
    assert "the entrypoint is not one of file, module and function: ['notebook']" in done.stderr


def test_the_last_word_is_tried_again(runs: Runs) -> None:
    runs.control.failures["finished"] = [503, 503]
    runs.write({"main.py": "pass\n"})

    done = runs.run(file("main.py"))

    assert (done.returncode, done.stderr) == (0, "")
    assert runs.control.finished["outcome"] == "returned"


@pytest.mark.parametrize("more_failures", [0, 9])
def test_counts_that_come_to_nobody_are_sent_again_once_the_last_word_is_heard(
    runs: Runs, more_failures: int
) -> None:
    """A server that is started anew at the end of a run, or two, take longer than the counts alone wait."""
    control = runs.control
    control.failures["metrics"] = [503] * 1000
    runs.write({"main.py": "import daftray\ndaftray.increment('rows', 3)\n"})

    def heal() -> None:
        control.wait_until(lambda: bool(control.ending("/finished")))
        del control.failures["metrics"][more_failures:]

    healing = threading.Thread(target=heal)
    healing.start()
    done = runs.run(file("main.py"))
    healing.join()

    assert (done.returncode, done.stderr) == (0, "")
    assert runs.control.total("daftray.user.rows") == 3


def test_a_result_that_cannot_be_stored_does_not_fail_the_run(runs: Runs) -> None:
    runs.control.failures["data"] = [413]
    runs.control.failures["result"] = [422]
    runs.write({"main.py": "def main(): return b'abc'\n", "other.py": "def main(): return 1\n"})

    runs.control.failures["result"] = []
    done = runs.run(function("main.py", "main"))

    assert (done.returncode, done.stderr) == (0, "")
    assert runs.control.result["kind"] == "omitted"
    assert "The result (bytes) could not be stored: the control plane at" in runs.control.result["note"]

    runs.control.requests.clear()
    runs.control.failures["result"] = [422]
    done = runs.run(function("other.py", "main"))

    assert done.returncode == 0
    assert done.stderr.startswith("daftray: the result of this run could not be stored: the control plane")
    assert runs.control.finished["outcome"] == "returned"


@pytest.mark.parametrize(
    ("entrypoint", "source", "value"),
    [
        (function("m.py", "main"), "def main(): return {'a': 1}", {"a": 1}),
        (function("m.py", "main"), "def main(): return None", None),
        (function("m", "main"), "async def main(): return 5", 5),
        (function("m", "main"), "import asyncio\ndef main(): return asyncio.sleep(0, 6)", 6),
        (
            function("m", "Job.make"),
            "class Job:\n    @classmethod\n    def make(cls): return cls.__name__",
            "Job",
        ),
        (function("m", "main"), "import daftray\ndef main(): daftray.set_result(1)", 1),
        (function("m", "main"), "import daftray\ndef main():\n    daftray.set_result(1)\n    return 2", 2),
        (file("m.py"), "import daftray\ndaftray.set_result(1)\ndaftray.set_result(2)", 2),
        (file("m.py"), "import daftray, sys\ndaftray.set_result(3)\nsys.exit(0)", 3),
        (module("m"), "import daftray\ndaftray.set_result(None)", None),
    ],
)
def test_the_last_result_wins(runs: Runs, entrypoint: dict[str, Any], source: str, value: object) -> None:
    runs.write({"m.py": source + "\n"})

    done = runs.run(entrypoint)

    assert (done.returncode, done.stderr) == (0, "")
    assert (runs.control.result["kind"], runs.control.result["value"]) == ("json", value)


def test_without_a_result_none_is_reported(runs: Runs) -> None:
    runs.write({"m.py": "pass\n"})

    runs.run(file("m.py"))

    assert runs.control.ending("/result") == []


def test_bytes_arrive_ahead_of_the_result_that_tells_of_them(runs: Runs) -> None:
    runs.write({"m.py": "def main(): return bytes(range(256)) * 1000\n"})

    runs.run(function("m.py", "main"))

    (data,) = runs.control.ending("/result/data")
    (result,) = runs.control.ending("/result")
    assert (data.method, data.path) == ("PUT", "/v1/ingest/runs/run_01/result/data?attempt=1")
    assert data.body == bytes(range(256)) * 1000
    assert runs.control.requests.index(data) < runs.control.requests.index(result)
    assert (result.json["kind"], result.json["size"], result.json["data"]) == ("artifact", 256_000, True)


def test_a_worker_gets_what_the_driver_hands_it(runs: Runs) -> None:
    """By the job's configuration, from which Ray makes a worker's environment (and nobody else's)."""
    environ = {
        "RAY_JOB_CONFIG_JSON_ENV_VAR": json.dumps(
            {"runtime_env": {"env_vars": {"A": "1"}, "working_dir": "gcs://x"}, "metadata": {"m": "n"}}
        )
    }
    workers.mark(environ, has_secrets=True, import_from="jobs", alias=Alias("odd", "jobs/o-d.py"))

    config = json.loads(environ["RAY_JOB_CONFIG_JSON_ENV_VAR"])
    variables = config["runtime_env"].pop("env_vars")
    assert config == {"runtime_env": {"working_dir": "gcs://x"}, "metadata": {"m": "n"}}
    assert variables.pop("A") == "1"

    runs.control.secrets = {"MY_SECRET": "s3cret"}
    source = """
import os, beside, odd
print(os.environ['MY_SECRET'], beside.X, odd.X, os.environ['DAFTRAY_PROCESS'])
"""
    runs.write({"main.py": source, "jobs/beside.py": "X = 1\n", "jobs/o-d.py": "X = 2\n"})
    out, err = runs.start("main.py", **variables).communicate(timeout=30)

    assert (out, err) == ("s3cret 1 2 child\n", "")


@pytest.mark.parametrize("config", ["no json", "[]", '{"runtime_env": 3}', None])
def test_a_job_configuration_of_another_shape_is_left_alone(config: str | None) -> None:
    environ = {} if config is None else {"RAY_JOB_CONFIG_JSON_ENV_VAR": config}

    workers.mark(environ, has_secrets=True, import_from=None, alias=None)

    assert environ.get("RAY_JOB_CONFIG_JSON_ENV_VAR") == config


def test_a_run_without_secrets_asks_no_worker_to_fetch_any(runs: Runs) -> None:
    runs.write({"main.py": "print('ran')\n"})

    runs.start("main.py", DAFTRAY_PROCESS="worker").communicate(timeout=30)

    assert runs.control.ending("/secrets") == []


def test_a_worker_without_its_secrets_says_so_and_runs(runs: Runs) -> None:
    runs.control.failures["secrets"] = [403]
    runs.write({"main.py": "print('ran')\n"})

    out, err = runs.start("main.py", DAFTRAY_PROCESS="worker", DAFTRAY_SECRETS="1").communicate(timeout=30)

    assert out == "ran\n"
    assert err.startswith("daftray: this worker runs without the run's secrets: the control plane")


def test_processes_that_are_none_of_the_runs_are_left_alone(runs: Runs) -> None:
    """The job's supervisor, and Ray's own helpers: the package is on their path too."""
    source = "import sys\nprint([name for name in sys.modules if 'daftray' in name], len(sys.meta_path))\n"
    runs.write({"main.py": source})

    ours, _ = runs.start("main.py").communicate(timeout=30)
    plain = subprocess.run(
        [runs.python, "main.py"], cwd=runs.folder, capture_output=True, text=True, check=True
    )

    assert ours == plain.stdout
    assert runs.control.requests == []


def test_a_child_loads_little_and_sends_nothing(runs: Runs) -> None:
    """Each Python process below a worker pays for what is loaded here."""
    source = (
        "import sys\nprint(*sorted(set(sys.modules) & {'json', 'http.client', 'typing', 're', 'daftray'}))\n"
    )
    runs.write({"main.py": source})

    out, _ = runs.start("-S", "main.py", DAFTRAY_PROCESS="child").communicate(timeout=30)
    assert out == "\n"
    out, _ = runs.start("main.py", DAFTRAY_PROCESS="child").communicate(timeout=30)

    assert out == "daftray\n"
    assert runs.control.requests == []


def settings(url: str) -> RunSettings:
    return RunSettings(run_id="run_01", attempt=1, report_url=url, token="t0ken")


def test_nobody_there_is_an_error_that_can_pass_and_holds_no_token(control: ControlStub) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    plane = ControlPlane(settings(f"http://127.0.0.1:{listener.getsockname()[1]}/base/"))
    listener.close()

    with pytest.raises(ControlPlaneError, match="no answer from the control plane") as error:
        plane.secrets(give_up_after_s=0)

    assert (error.value.retryable, error.value.status) == (True, None)
    assert "t0ken" not in repr(settings(control.url)) + str(error.value)


@pytest.mark.parametrize("url", ["ftp://x", "http://", "nothing", ""])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(ValueError, match="DAFTRAY_REPORT_URL is no http"):
        ControlPlane(settings(url))
