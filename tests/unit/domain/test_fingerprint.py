"""Equal exceptions meet under one fingerprint, different ones do not."""

from __future__ import annotations

import pytest
from factories import a_frame, an_exception
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from daftray.domain.problem import ExceptionInfo, Frame, fingerprint

FRAMES = st.lists(
    st.builds(
        Frame,
        file=st.sampled_from(["main.py", "jobs/embed.py"]),
        line=st.integers(1, 99),
        function=st.sampled_from(["main", "embed"]),
        user=st.booleans(),
    ),
    max_size=4,
)
LIBRARY = a_frame(file="/venv/daft/udf.py", function="call", user=False)


@given(FRAMES, st.text(), st.integers(1, 99))
def test_values_and_line_numbers_do_not_count(frames: list[Frame], message: str, line: int) -> None:
    before = an_exception(frames=frames)
    moved = [replace(frame, line=line, code="x") for frame in frames]
    after = replace(before, message=message, frames=moved, notes=["n"], causes=[before])
    assert fingerprint(after, "udf") == fingerprint(before, "udf")


@given(FRAMES)
def test_frames_of_libraries_do_not_count_beside_the_users(frames: list[Frame]) -> None:
    frames = [*frames, a_frame()]
    with_library = [*frames[:1], LIBRARY, *frames[1:]]
    assert fingerprint(an_exception(frames=with_library)) == fingerprint(an_exception(frames=frames))


@pytest.mark.parametrize(
    "other",
    [
        an_exception(type="KeyError"),
        an_exception(frames=[a_frame(function="other")]),
        an_exception(frames=[a_frame(file="other.py")]),
        an_exception(frames=[a_frame(), a_frame(function="inner")]),
        an_exception(frames=[]),
    ],
)
def test_type_and_place_count(other: ExceptionInfo) -> None:
    assert fingerprint(other) != fingerprint(an_exception())


def test_the_udf_counts() -> None:
    assert len({fingerprint(an_exception(), udf) for udf in (None, "embed", "classify")}) == 3


def test_without_a_frame_of_the_users_the_others_count() -> None:
    elsewhere = replace(LIBRARY, function="other")
    assert fingerprint(an_exception(frames=[LIBRARY])) != fingerprint(an_exception(frames=[elsewhere]))
