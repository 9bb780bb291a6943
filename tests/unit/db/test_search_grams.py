from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftray.adapters.db.run_search import grams_of


@pytest.mark.parametrize(
    ("text", "grams"),
    [
        ("abc", ["abc"]),
        ("abcd", ["abc", "bcd"]),
        ("abcdef", ["abc", "def"]),
        ("score nightly", ["sco", "e n", "nig", "htl", "tly"]),
        ("load_v1", ["loa", "d_v", "_v1"]),
        ("a/b", ["a/b"]),
        ("   ", ["   "]),
    ],
)
def test_words_are_asked_for_with_what_joins_them(text: str, grams: list[str]) -> None:
    assert grams_of(text) == grams


@given(text=st.text("ab /", min_size=3, max_size=200))
def test_what_is_asked_for_is_little_and_part_of_the_text(text: str) -> None:
    grams = grams_of(text)
    assert 1 <= len(grams) <= 10
    assert all(len(gram) == 3 and gram in text for gram in grams)
