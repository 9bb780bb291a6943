"""Count the words of the reviews; run as a module.

Try ``daftray run tools.count_words --top 5``.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from pathlib import Path

REVIEWS = Path(__file__).parent.parent / "reviews.csv"
SHORTEST = 4
"""Letters of a word that is worth counting."""


def count(path: Path) -> Counter[str]:
    """Return how often each word occurs that is not too short."""
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row["text"].lower() for row in csv.DictReader(file)]
    words = (word.strip(".,;!?") for text in texts for word in text.split())
    return Counter(word for word in words if len(word) >= SHORTEST and word.isalpha())


def main() -> None:
    """Print the most frequent words."""
    parser = argparse.ArgumentParser(prog="tools.count_words")
    parser.add_argument("--top", type=int, default=10, help="how many words to print")
    for word, times in count(REVIEWS).most_common(parser.parse_args().top):
        print(f"{times:4} {word}")


if __name__ == "__main__":
    main()
