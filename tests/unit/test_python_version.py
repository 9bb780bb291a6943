"""A run's Python version is met by the cluster's minor version, or refused with what there is."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daftray.domain.errors import InvalidInputError, PythonVersionError
from daftray.runtime_env.python_version import check, parse

PATIENT = settings(deadline=None)
"""No example fails for being slow: the machine may be busy."""

SYS_VERSION = "3.12.1 (main, Dec  8 2023, 05:40:51) \n[GCC 12.2.0]"


@pytest.mark.parametrize(
    "requested",
    [
        "",
        "  ",
        "3.12",
        "3.12.1",
        "3.12.9",
        "3.12.*",
        "3.12.0rc1",
        "3.12.1+",
        "python3.12",
        "cpython-3.12.4",
        SYS_VERSION,
        "3.12.1 | packaged by conda-forge | (main, Dec 23 2023, 08:03:24) [GCC 12.3.0]",
        ">=3.11",
        ">=3.12,<3.13",
        "~=3.12",
        "==3.12.*",
        "!=3.11.*",
    ],
)
def test_met_by_312(requested: str):
    check(requested, "3.12.1")


@pytest.mark.parametrize(
    "requested", ["3.11", "3.13", "3.1", "3.11.9 (main) [GCC]", ">=3.13", "<3.12", "2.7"]
)
def test_refused_by_312_with_what_there_is(requested: str):
    with pytest.raises(PythonVersionError, match=r"Available: 3\.12 \(3\.12\.1\)"):
        check(requested, "3.12.1")


@pytest.mark.parametrize("available", ["3.12.1", "3.12.1+", "3.12", SYS_VERSION])
def test_the_cluster_may_say_its_version_in_any_form(available: str):
    check("3.12", available)
    with pytest.raises(PythonVersionError, match=r"Available: 3\.12"):
        check("3.11", available)


@pytest.mark.parametrize(
    "requested",
    ["three", "3", "3.12;rm", "pypy3.10", ">=banana", "3.12.1.4", "9" * 600, "3." + "1" * 40],
)
def test_what_is_no_version_is_invalid_input(requested: str):
    with pytest.raises(InvalidInputError) as caught:
        parse(requested)
    assert [issue.path for issue in caught.value.issues] == ["environment.python_version"]
    assert not isinstance(caught.value, PythonVersionError)


def test_this_interpreter_meets_its_own_version_text():
    check(sys.version, "{}.{}.{}".format(*sys.version_info))


@PATIENT
@given(st.text(max_size=40))
def test_any_text_is_either_read_or_refused(text: str):
    try:
        parse(text)
    except InvalidInputError:
        return


@PATIENT
@given(minor=st.integers(0, 40), other=st.integers(0, 40), patch=st.integers(0, 30))
def test_the_minor_version_decides(minor: int, other: int, patch: int):
    if minor == other:
        check(f"3.{minor}.{patch}", f"3.{other}.0")
    else:
        with pytest.raises(PythonVersionError):
            check(f"3.{minor}.{patch}", f"3.{other}.0")
