"""Label product reviews with a language model, and find those whose stars tell another story.

Try ``daftray run pipeline.py:label_reviews --limit 24``.

The model is any that speaks OpenAI's protocol: OPENAI_API_KEY and, for another host than OpenAI's,
OPENAI_BASE_URL. Set them as secrets of the project.
"""

from __future__ import annotations

import html
from pathlib import Path

import daft
from daft import col
from daft.functions import prompt

REVIEWS = Path(__file__).with_name("reviews.csv")
QUESTION = "Say in one word whether this product review is positive, negative or mixed."


@daft.func
def tidy(text: str) -> str:
    """Return the text without HTML entities and doubled spaces."""
    return " ".join(html.unescape(text).split())


@daft.func
def one_word(answer: str) -> str:
    """Return the label in an answer, however the model dresses it up."""
    words = answer.lower().replace(".", " ").replace("*", " ").split()
    return next((word for word in words if word in {"positive", "negative", "mixed"}), "unclear")


@daft.func
def contradicts(stars: int, sentiment: str) -> bool:
    """Return whether the stars say the opposite of the text."""
    happy, unhappy = stars in {4, 5}, stars in {1, 2}
    return (happy and sentiment == "negative") or (unhappy and sentiment == "positive")


def label_reviews(limit: int = 24, model: str = "gpt-4o-mini") -> daft.DataFrame:
    """Return the first reviews with their sentiment; daftray runs the plan and keeps the table."""
    answer = prompt(
        col("text"),
        system_message=QUESTION,
        provider="openai",
        model=model,
        use_chat_completions=True,  # the one of OpenAI's two protocols that every compatible server speaks
    )
    return (
        daft.read_csv(str(REVIEWS))
        .limit(limit)
        .with_column("text", tidy(col("text")))
        .with_column("sentiment", one_word(answer))
        .with_column("contradiction", contradicts(col("stars"), col("sentiment")))
        .select("review_id", "product", "stars", "sentiment", "contradiction", "text")
    )


if __name__ == "__main__":
    label_reviews().show()
