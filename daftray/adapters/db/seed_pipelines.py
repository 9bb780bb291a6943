"""What the made-up runs of a seeded database are runs of: projects and pipelines as teams have them."""

from __future__ import annotations

from dataclasses import dataclass, field

from daftray.domain.spec import Entrypoint, FileEntrypoint, FunctionEntrypoint, ModuleEntrypoint

NAME = "@name@"
"""Stands in a name where each run has something of its own."""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """What is run again and again. ``share`` is of all runs, in percent."""

    project: str
    share: float
    entrypoint: Entrypoint
    name: str | None
    triggers: dict[str, float]
    labels: dict[str, str] = field(default_factory=dict[str, str])
    in_use: tuple[float, float] = (0.0, 1.0)
    """From which part of the whole time until which it was run."""


def _file(path: str, *argv: str) -> Entrypoint:
    return Entrypoint(file=FileEntrypoint(file_path=path, argv=list(argv)))


def _function(module: str, symbol: str) -> Entrypoint:
    return Entrypoint(function=FunctionEntrypoint(module=module, symbol=symbol, kwargs={"limit": 1000}))


PIPELINES = (
    Pipeline(
        project="reviews",
        share=24,
        entrypoint=_file("pipelines/score.py", "--model", "gpt-4o-mini"),
        name=f"score {NAME}",
        triggers={"cron": 9, "manual": 1},
        labels={"team": "ml", "env": "prod", "pipeline": "score"},
    ),
    Pipeline(
        project="reviews",
        share=16,
        entrypoint=_function("pipelines/embed.py", "embed_reviews"),
        name="nightly embed",
        triggers={"cron": 1},
        labels={"team": "ml", "env": "prod", "pipeline": "embed"},
    ),
    Pipeline(
        project="reviews",
        share=14,
        entrypoint=_file("etl/load_v1.py"),
        name="load",
        triggers={"webhook": 3, "cron": 7},
        labels={"team": "data", "env": "prod", "pipeline": "load"},
        in_use=(0.0, 0.4),
    ),
    Pipeline(
        project="reviews",
        share=14,
        entrypoint=_file("etl/load_v2.py", "--checkpoint"),
        name="load",
        triggers={"webhook": 3, "cron": 7},
        labels={"team": "data", "env": "prod", "pipeline": "load"},
        in_use=(0.4, 1.0),
    ),
    Pipeline(
        project="reviews",
        share=10,
        entrypoint=Entrypoint(module=ModuleEntrypoint(module="reviews.try_out", argv=["--limit", "20"])),
        name=f"try-{NAME}",
        triggers={"manual": 1},
        labels={"env": "dev"},
    ),
    Pipeline(
        project="embeddings",
        share=12,
        entrypoint=_function("jobs.images", "embed_images"),
        name="images",
        triggers={"cron": 1, "manual": 1},
        labels={"team": "vision", "env": "prod"},
    ),
    Pipeline(
        project="reports",
        share=8,
        entrypoint=_file("weekly.py"),
        name=None,
        triggers={"api": 1},
        labels={"env": "test"},
    ),
    Pipeline(
        project="sandbox",
        share=2,
        entrypoint=_file("scratch.py"),
        name=f"{NAME}",
        triggers={"manual": 1},
    ),
)
