"""Errors survive the wire: each code has a status on the way out, and its class on the way back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from daftray.api.problems import STATUS_OF
from daftray.client.errors import BY_CODE
from daftray.domain import errors
from daftray.domain.errors import DaftrayError


def classes(root: type[DaftrayError] = DaftrayError) -> Iterator[type[DaftrayError]]:
    for one in root.__subclasses__():
        yield from classes(one)
        if one.__module__ == errors.__name__:
            yield one


@pytest.mark.parametrize("error", list(dict.fromkeys(classes())))
def test_a_code_has_a_status_and_a_way_back(error: type[DaftrayError]) -> None:
    assert error.code in STATUS_OF
    assert issubclass(BY_CODE[error.code], error)  # a kind below it, where they share their code
    assert error.__subclasses__() or BY_CODE[error.code] is error


def test_every_status_is_of_a_code_that_there_is() -> None:
    assert set(STATUS_OF) == set(BY_CODE)
