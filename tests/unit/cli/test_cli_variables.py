from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftray.cli.variables import read_assignments, read_env_file, read_labels
from daftray.domain.errors import InvalidInputError

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True)


@given(st.dictionaries(names, st.text()))
def test_assignments_keep_their_values_as_they_are(variables: dict[str, str]) -> None:
    assert read_assignments([f"{name}={value}" for name, value in variables.items()], {}) == variables


def test_a_name_alone_takes_the_value_from_here() -> None:
    assert read_assignments(["HOME", "A=b=c", "E="], {"HOME": "/h"}) == {"HOME": "/h", "A": "b=c", "E": ""}


@pytest.mark.parametrize("text", ["", "=x", "1A=x", "A-B=x", "NOT_SET", "A B=x"])
def test_assignments_of_nothing_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="=VALUE"):
        read_assignments([text], {})


def test_an_env_file_is_read_as_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "# keys\n"
        "export OPENAI_API_KEY=sk-1  # the team's\n"
        "\n"
        'QUOTED="two words\\nand a line"\n'
        "SINGLE='$HOME \\n as it is'\n"
        "PASSWORD=a${HOME}b#c\n"
        "EMPTY=\n"
        'KEY="-----BEGIN KEY-----\nabc\n-----END KEY-----"\n'
    )

    assert read_env_file(path) == {
        "OPENAI_API_KEY": "sk-1",
        "QUOTED": "two words\nand a line",
        "SINGLE": "$HOME \\n as it is",
        "PASSWORD": "a${HOME}b#c",
        "EMPTY": "",
        "KEY": "-----BEGIN KEY-----\nabc\n-----END KEY-----",
    }


@pytest.mark.parametrize("line", ["hidden", "BAD NAME=hidden", "1A=hidden", 'A="hidden'])
def test_a_line_that_sets_nothing_is_told_by_its_number_alone(tmp_path: Path, line: str) -> None:
    path = tmp_path / ".env"
    path.write_text(f"A=1\n\n{line}\n")

    with pytest.raises(InvalidInputError, match="line 3") as refused:
        read_env_file(path)
    assert "hidden" not in f"{refused.value}{refused.value.issues}"


def test_an_env_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="FileNotFoundError"):
        read_env_file(tmp_path / "absent")
    (tmp_path / "binary").write_bytes(b"A=\xff\xfe")
    with pytest.raises(InvalidInputError, match="UnicodeDecodeError"):
        read_env_file(tmp_path / "binary")


def test_labels_are_pairs() -> None:
    assert read_labels(["team=search", "v=1=2", "e="]) == {"team": "search", "v": "1=2", "e": ""}
    for text in ("team", "=x", ""):
        with pytest.raises(InvalidInputError, match="NAME=VALUE"):
            read_labels([text])
