"""The demo's project runs by itself, as any project of a user's does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from daftray.server.stand_in import StandIn

PROJECT = Path(__file__).parent.parent.parent / "examples" / "reviews"

LABEL = """
import json, pipeline
table = pipeline.label_reviews(limit=18, model="stand-in").to_pydict()
print(json.dumps(table))
"""


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", *arguments],
        cwd=PROJECT,
        env={**os.environ, "DAFT_RUNNER": "native", "DAFT_PROGRESS_BAR": "0", **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_pipeline_labels_reviews_and_finds_those_whose_stars_tell_another_story() -> None:
    with StandIn() as model:
        result = run("-c", LABEL, OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="any")

    assert result.returncode == 0, result.stderr
    table = json.loads(result.stdout)
    assert len(table["review_id"]) == 18
    assert set(table["sentiment"]) == {"positive", "negative", "mixed"}
    odd = [row for row, told in enumerate(table["contradiction"]) if told]
    assert [table["review_id"][row] for row in odd] == [18]
    assert "&amp;" not in "".join(table["text"])


def test_the_flaky_example_fails_in_its_udf() -> None:
    result = run("flaky.py")

    assert result.returncode != 0
    assert "could not convert string to float" in result.stderr


def test_the_smaller_ones_take_arguments() -> None:
    assert run("hello.py", "Ada").stdout.startswith("Hello, Ada!\n")
    assert run("ticker.py", "1").stdout == "second 1 of 1\n"
    assert len(run("-m", "tools.count_words", "--top", "3").stdout.splitlines()) == 3
