"""The results of two runs: whether they are equal, as far as that can be told from what is kept of them."""

from __future__ import annotations

from typing import Literal

import msgspec

from daftray.domain.result import RunResult
from daftray.runs.json_differences import JsonDifference, compare_json
from daftray.web.json_tree import LARGEST_SHOWN

MOST_DIFFERENCES = 100
_LONGEST_TEXT = 4000


class ResultShown(msgspec.Struct, frozen=True, kw_only=True):
    """A run's result, or why there is none."""

    result: RunResult | None = None
    none: str | None = None

    @property
    def text(self) -> str:
        """The result in a few words or lines, cut."""
        result = self.result
        if result is None:
            return self.none or ""
        if result.kind == "json":
            text = bytes(result.value)[: _LONGEST_TEXT + 1].decode(errors="replace")
            return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
        if result.kind == "table":
            return f"a table of {_count(result.rows)} rows and {len(result.columns or [])} columns"
        return result.note or f"{result.media_type}, {_count(result.size)} bytes"


class ResultsCompared(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of two results: whether they are ``equal``, ``different``, or nobody can tell."""

    verdict: Literal["equal", "different", "unknown"]
    detail: str
    differences: tuple[JsonDifference, ...] = ()
    more: bool = False


def compare_results(here: ResultShown, there: ResultShown) -> ResultsCompared:
    """Compare two results. Bytes that are stored apart are not read: of those the size is compared."""
    one, other = here.result, there.result
    if one is None and other is None:
        return ResultsCompared(verdict="unknown", detail="Neither run has a result to compare.")
    if one is None or other is None:
        return ResultsCompared(verdict="unknown", detail="Only one of the runs has a result.")
    if one.kind != other.kind:
        detail = f"The first is {one.kind}, the second {other.kind}."
        return ResultsCompared(verdict="different", detail=detail)
    if one.kind == "json":
        return _of_json(one, other)
    return _of_table(one, other) if one.kind == "table" else _of_bytes(one, other)


def _of_json(here: RunResult, there: RunResult) -> ResultsCompared:
    found = compare_json(bytes(here.value), bytes(there.value), largest=LARGEST_SHOWN, most=MOST_DIFFERENCES)
    if found.equal:
        return ResultsCompared(verdict="equal", detail="The same JSON.")
    if found.too_large:
        detail = "They are too large to say where they differ, or equal but for the order of their members."
        return ResultsCompared(verdict="unknown", detail=detail)
    return ResultsCompared(
        verdict="different", detail="The JSON differs.", differences=found.differences, more=found.more
    )


def _of_table(here: RunResult, there: RunResult) -> ResultsCompared:
    if here.columns != there.columns:
        return ResultsCompared(verdict="different", detail="The tables have other columns.")
    if here.rows != there.rows:
        return ResultsCompared(verdict="different", detail="The tables have other numbers of rows.")
    if _json(here.preview) != _json(there.preview):
        return ResultsCompared(verdict="different", detail="The first rows differ.")
    first = len(here.preview or [])
    if here.preview is not None and first == here.rows:
        return ResultsCompared(verdict="equal", detail="The same table.")
    detail = f"Columns, number of rows and the first {first} rows are the same; the rest was not looked at."
    return ResultsCompared(verdict="unknown", detail=detail)


def _of_bytes(here: RunResult, there: RunResult) -> ResultsCompared:
    if here.media_type != there.media_type or here.size != there.size:
        return ResultsCompared(verdict="different", detail="They are of another kind or size.")
    detail = "They are of the same kind and size; their bytes were not looked at."
    return ResultsCompared(verdict="unknown", detail=detail)


def _json(value: object) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def _count(number: int | None) -> str:
    return "an unknown number of" if number is None else f"{number:,}"
