from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftray.client.entrypoint import parse_call, parse_entrypoint
from daftray.domain.errors import InvalidInputError
from daftray.domain.spec import Entrypoint, FileEntrypoint, FunctionEntrypoint, ModuleEntrypoint

names = st.from_regex(r"[a-z_][a-z0-9_]{0,9}", fullmatch=True)
modules = st.lists(names, min_size=1, max_size=4).map(".".join)
paths = st.lists(names, min_size=1, max_size=4).map(lambda parts: "/".join(parts) + ".py")
words = st.text(max_size=12)


@given(paths, st.lists(words))
def test_a_file_gets_all_arguments_as_they_are(path: str, argv: list[str]) -> None:
    assert parse_entrypoint(path, argv) == Entrypoint(file=FileEntrypoint(file_path=path, argv=argv or None))


@given(modules.filter(lambda name: not name.endswith(".py")), st.lists(words))
def test_a_module_gets_all_arguments_as_they_are(module: str, argv: list[str]) -> None:
    expected = Entrypoint(module=ModuleEntrypoint(module=module, argv=argv or None))

    assert parse_entrypoint(module, argv) == expected


@given(modules | paths, modules)
def test_a_function_is_what_follows_the_last_colon(place: str, symbol: str) -> None:
    expected = Entrypoint(function=FunctionEntrypoint(module=place, symbol=symbol))

    assert parse_entrypoint(f"{place}:{symbol}") == expected


@given(st.dictionaries(names, words), st.lists(words.filter(lambda word: not word.startswith("-"))))
def test_keywords_written_with_an_equals_sign_come_back(keywords: dict[str, str], others: list[str]) -> None:
    arguments = [*others, *(f"--{name}={value}" for name, value in keywords.items())]

    assert parse_call(arguments) == (others, keywords)


@given(st.lists(words))
def test_after_two_dashes_everything_is_positional(others: list[str]) -> None:
    assert parse_call(["--", *others]) == (others, {})


@given(st.lists(st.text(alphabet="-ab=1", max_size=5)))
def test_no_argument_is_lost_or_made_up(arguments: list[str]) -> None:
    try:
        positional, keywords = parse_call(arguments)
    except InvalidInputError:
        return

    assert all(text in arguments for text in positional)
    assert all(any(value in argument for argument in [*arguments, "true"]) for value in keywords.values())
    assert len(positional) + len(keywords) <= len(arguments)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--count=3"], ([], {"count": "3"})),
        (["--count", "3"], ([], {"count": "3"})),
        (["--count", "-3"], ([], {"count": "-3"})),
        (["--dry-run"], ([], {"dry_run": "true"})),
        (["--dry-run", "--count", "3"], ([], {"dry_run": "true", "count": "3"})),
        (["a", "--flag", "--", "--b"], (["a", "--b"], {"flag": "true"})),
        (["-3", "-"], (["-3", "-"], {})),
        (["--empty="], ([], {"empty": ""})),
        (["--where=a=b"], ([], {"where": "a=b"})),
    ],
)
def test_options_as_people_write_them(
    arguments: list[str], expected: tuple[list[str], dict[str, str]]
) -> None:
    assert parse_call(arguments) == expected


@pytest.mark.parametrize("arguments", [["--a=1", "--a=2"], ["-x"], ["-xyz", "1"], ["--1st=2"], ["--=3"]])
def test_options_that_no_function_has_are_refused(arguments: list[str]) -> None:
    with pytest.raises(InvalidInputError):
        parse_call(arguments)


@pytest.mark.parametrize("text", ["", ":", "a.py:", ":main", "a.py:1x", "a b", "a-b", "a..b", "a.py:f()"])
def test_texts_that_name_nothing_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_entrypoint(text)

    assert refused.value.issues[0].path == "entrypoint"
