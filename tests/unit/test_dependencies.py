"""Dependencies become one canonical list, or an issue for every bad line."""

from __future__ import annotations

import random as random_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daftray.domain.errors import DependenciesInvalidError
from daftray.runtime_env.dependencies import MOST_LINES, normalise

PATIENT = settings(deadline=None)
"""No example fails for being slow: the machine may be busy."""


def refusals(*lines: str) -> dict[str, str]:
    with pytest.raises(DependenciesInvalidError) as caught:
        normalise(lines)
    return {issue.path: issue.message for issue in caught.value.issues}


def test_lines_are_made_canonical_and_sorted():
    lines = [
        "Zeep[Xmlsec, async]  >=4.0, <5",
        "",
        "# a comment",
        "A_B.c==1.0  # pinned",
        "m; python_version<'3.12'",
    ]
    assert normalise(lines) == ["a-b-c==1.0", 'm; python_version < "3.12"', "zeep[async,xmlsec]<5,>=4.0"]


def test_equal_requirements_become_one_and_their_ranges_are_joined():
    assert normalise(["httpx>=0.27", "HTTPX[http2]<1", "httpx >= 0.27"]) == ["httpx[http2]<1,>=0.27"]


def test_requirements_under_different_markers_stay_apart():
    lines = ["a==1; sys_platform=='linux'", "a==2; sys_platform=='darwin'"]
    assert normalise(lines) == ['a==1; sys_platform == "linux"', 'a==2; sys_platform == "darwin"']


@pytest.mark.parametrize("second", ["a==2", "a<1", "a @ https://files.example.com/a-1.whl"])
def test_requirements_that_exclude_each_other_are_refused(second: str):
    assert list(refusals("a==1", second)) == ["environment.dependencies[1]"]


def test_one_requirement_that_excludes_itself_is_refused():
    assert "no version" in refusals("a>2,<1")["environment.dependencies[0]"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("-r requirements.txt", "option"),
        ("--index-url https://example.com/simple", "UV_INDEX_URL"),
        ("-e .", "option"),
        ("./wheels/a-1.0-py3-none-any.whl", "local path"),
        ("../lib", "local path"),
        ("/opt/lib", "local path"),
        (".", "local path"),
        ("a-1.0-py3-none-any.whl", "local path"),
        ("file:///opt/a", "local path"),
        ("a @ file:///opt/a-1.0.whl", "scheme"),
        ("a @ ./a.whl", "scheme"),
        ("not a requirement", "PEP 508"),
        ("a==", "PEP 508"),
        ("a @ https://user:token@example.com/a.whl", "credentials"),
        ("a @ https://token@example.com/a.whl", "credentials"),
        ("a @ https://${TOKEN}@example.com/a.whl", "credentials"),
        ("a @ git+ssh://git:secret@example.com/a.git", "credentials"),
        ("a\n--index-url=https://example.com", "line break"),
        ("a @ https://example.com/a.whl\n--extra-index-url=https://example.com", "line break"),
        ("a\0", "control character"),
    ],
)
def test_what_is_no_plain_requirement_is_refused_with_the_reason(line: str, says: str):
    messages = refusals("ok", line)
    assert list(messages) == ["environment.dependencies[1]"]
    assert says in messages["environment.dependencies[1]"]


def test_credentials_of_a_url_are_not_repeated():
    assert "canary" not in str(refusals("a @ https://user:canary@example.com/a.whl"))


@pytest.mark.parametrize(
    "line",
    [
        "a@ https://files.example.com/a-1.0-py3-none-any.whl",
        "a@ git+https://example.com/a.git@main",
        "a@ git+ssh://git@example.com/a.git",
    ],
)
def test_direct_references_are_taken(line: str):
    assert normalise([line]) == normalise(normalise([line]))
    assert len(normalise([line])) == 1


def test_every_bad_line_is_listed():
    assert list(refusals("-e .", "fine", "nope nope")) == [
        "environment.dependencies[0]",
        "environment.dependencies[2]",
    ]


NAMES = st.sampled_from(["a", "Bb", "c_c", "d.d", "E-e"])
EXTRAS = st.sampled_from(["", "[x]", "[Y,x]", "[z_z, y]"])
RANGES = st.sampled_from(["", ">=1", " >= 1.0 , < 9", "!=1.5", "~=2.0", "<=8"])
MARKERS = st.sampled_from(["", "; python_version >= '3.11'", ' ; sys_platform == "linux"'])
LINES = st.lists(st.builds("{}{}{}{}".format, NAMES, EXTRAS, RANGES, MARKERS), max_size=8)


@PATIENT
@given(LINES, st.randoms())
def test_order_and_spelling_do_not_matter(lines: list[str], random: random_module.Random):
    shuffled = [line.replace("_", "-").upper() if ";" not in line else line for line in lines]
    random.shuffle(shuffled)
    assert normalise(shuffled) == normalise(lines)


@PATIENT
@given(LINES)
def test_normalising_twice_changes_nothing(lines: list[str]):
    once = normalise(lines)
    assert normalise(once) == once


@PATIENT
@given(st.text(max_size=60))
def test_any_text_is_either_taken_or_refused_with_its_place(text: str):
    try:
        normalise([text])
    except DependenciesInvalidError as refused:
        places = [issue.path for issue in refused.issues]
    else:
        places = ["environment.dependencies[0]"]
    assert places == ["environment.dependencies[0]"]


@pytest.mark.parametrize(
    "line",
    [
        "a" + ">=1," * 1000 + ">=1",
        "a;" + "(" * 900 + "os_name=='x'" + ")" * 900,
        "a @ https://h/" + "x" * 2000,
    ],
    ids=["many specifiers", "nested", "long URL"],
)
def test_a_line_that_is_made_to_take_long_is_refused(line: str) -> None:
    with pytest.raises(DependenciesInvalidError) as caught:
        normalise([line])
    assert [issue.path for issue in caught.value.issues] == ["environment.dependencies[0]"]


def test_a_list_is_bounded() -> None:
    with pytest.raises(DependenciesInvalidError, match="at most"):
        normalise([f"package-{number}" for number in range(MOST_LINES + 1)])
