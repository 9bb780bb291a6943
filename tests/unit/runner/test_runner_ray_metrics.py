"""What goes into Ray's own metrics: what is new, by run, only where Ray runs. A stand-in is its metrics."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from daftray.runner import names
from daftray.runner.ray_metrics import RayMetrics

REQUESTS = (names.REQUESTS, ((names.MODEL, "m"), (names.OUTCOME, "ok")))
TOKENS = (names.TOKENS, ((names.MODEL, "m"), (names.TOKEN_TYPE, "input")))
OWN = (f"{names.CUSTOM_PREFIX}pages", (("kind", "scan"),))
CPU = (names.CPU_TIME, ((names.CPU_MODE, "user"),))


class Ray:
    """Ray's module, running or not, and what was counted in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs = True
        self.breaks = False
        self.counted: list[tuple[str, float, dict[str, str]]] = []
        module, metrics = ModuleType("ray"), ModuleType("ray.util.metrics")
        vars(module)["is_initialized"] = lambda: self.runs
        vars(metrics)["Counter"] = self._counter
        for name, each in (
            ("ray", module),
            ("ray.util", ModuleType("ray.util")),
            (metrics.__name__, metrics),
        ):
            monkeypatch.setitem(sys.modules, name, each)

    def _counter(self, name: str, *, description: str, tag_keys: tuple[str, ...]) -> Any:
        assert description
        counted, breaks = self.counted, self.breaks

        class Counter:
            def inc(self, value: float, *, tags: dict[str, str]) -> None:
                if breaks:
                    raise RuntimeError("no")
                assert value > 0
                assert set(tags) == set(tag_keys)
                counted.append((name, value, {tag: text for tag, text in tags.items() if text}))

        return Counter()


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Ray:
    return Ray(monkeypatch)


def test_only_what_has_grown_is_added(ray: Ray) -> None:
    shown = RayMetrics("run_01")
    shown.show({REQUESTS: 2, TOKENS: 30, OWN: 5, CPU: 1.5})
    shown.show({REQUESTS: 3, TOKENS: 30})

    of = {"run_id": "run_01", "model": "m"}
    assert ray.counted == [
        ("daftray_requests", 2, {**of, "outcome": "ok"}),
        ("daftray_tokens", 30, {**of, "type": "input"}),
        ("daftray_counts", 5, {"run_id": "run_01", "name": "pages"}),
        ("daftray_requests", 1, {**of, "outcome": "ok"}),
    ]


def test_what_was_counted_before_ray_ran_is_added_once_it_does(ray: Ray) -> None:
    shown = RayMetrics("run_01")
    ray.runs = False
    shown.show({REQUESTS: 2})
    assert not ray.counted

    ray.runs = True
    shown.show({REQUESTS: 2})
    assert [value for _, value, _ in ray.counted] == [2]


def test_ray_is_never_imported_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)

    RayMetrics("run_01").show({REQUESTS: 2})

    assert sys.modules["ray"] is None


def test_what_ray_refuses_is_told_once_and_harms_nothing(
    ray: Ray, capsys: pytest.CaptureFixture[str]
) -> None:
    ray.breaks = True
    shown = RayMetrics("run_01")
    shown.show({REQUESTS: 2})
    shown.show({REQUESTS: 3})

    assert capsys.readouterr().err.count("not in Ray's metrics") == 1
