"""A Daft pipeline with a model, on the Ray runner: its table, and exactly the usage that the model saw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from e2e_platform import Platform
from openai_server import openai_server

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.spec import Environment
from daftray.domain.status import RunStatus

pytestmark = pytest.mark.ray

EXAMPLES = Path(__file__).parents[2] / "examples" / "reviews"
ROWS = 8


def test_the_example_pipeline_counts_what_its_model_counted(
    platform: Platform, client: Client, ended: Callable[[Run], Run]
) -> None:
    files = {f"reviews/{file.name}": file.read_bytes() for file in EXAMPLES.iterdir() if file.is_file()}
    commit = platform.repo.commit(files)
    with openai_server() as model:
        run = ended(
            client.runs.create(
                "reviews/pipeline.py:label_reviews",
                kwargs={"limit": str(ROWS), "model": "tiny"},
                hash=commit,
                environment=Environment(environment_variables={"OPENAI_BASE_URL": model.base_url}),
                secrets={"OPENAI_API_KEY": "not-a-real-key"},
            )
        )
        counted = (model.requests, model.tokens_in, model.tokens_out)
    assert run.status is RunStatus.SUCCEEDED
    table = client.runs.result_preview(run)
    assert (table.kind, table.rows, len(table.preview or [])) == ("table", ROWS, ROWS)
    assert {column.name for column in table.columns or []} >= {"review_id", "sentiment", "contradiction"}
    metrics = client.runs.metrics(run)
    assert counted[0] == ROWS
    assert (metrics.requests, metrics.tokens_in, metrics.tokens_out) == counted
    assert [line.name for line in metrics.by_model] == ["tiny"]
    assert (metrics.cpu_seconds.used or 0) > 0
    assert run.usage == metrics.summary()
    parquet = b"".join(client.runs.download_result(run))
    assert parquet.startswith(b"PAR1")
