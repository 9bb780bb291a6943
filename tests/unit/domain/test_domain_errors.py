"""The tree of errors is drawn as it is, and each has a code of its own and a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from daftray.domain import errors
from daftray.domain.errors import DaftrayError, InputIssue, InvalidInputError


def tree(root: type[DaftrayError]) -> Iterator[type[DaftrayError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


CLASSES = list(dict.fromkeys(tree(DaftrayError)))


@pytest.mark.parametrize("error", CLASSES)
def test_an_error_says_something_by_itself(error: type[DaftrayError]) -> None:
    assert re.fullmatch(r"\w.+\.", error().detail)
    assert error("said").detail == str(error("said")) == "said"
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.code)


def test_only_a_class_and_its_parent_share_a_code() -> None:
    for one in CLASSES:
        for other in CLASSES:
            if one.code == other.code:
                assert issubclass(one, other) or issubclass(other, one)


def test_every_code_is_drawn() -> None:
    drawing = (errors.__doc__ or "").split("A message says", 1)[0]
    short = {code.removesuffix("-not-found") for code in re.findall(r"[a-z]+(?:-[a-z]+)*", drawing)}
    missing = {error.code for error in CLASSES if error.code.removesuffix("-not-found") not in short}
    assert missing <= {"internal", "not-found"}


def test_issues_stay_with_their_error() -> None:
    issue = InputIssue(path="source.git.ref", message="unknown")
    assert InvalidInputError("no", issues=(issue,)).issues == (issue,)
