from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftray.cli.requirements import logical_lines, read_requirements
from daftray.domain.errors import DependenciesInvalidError


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "requirements.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_requirements_come_as_they_are_written(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "# the engine\n"
        "daft[ray,aws] >= 0.7, <1  # pinned by ops\n"
        "\n"
        "  numpy==2.1\\\n"
        "   ; python_version < '3.13'\n"
        "my-lib @ git+https://git.example/lib.git@v1#egg=my-lib\n",
    )

    assert read_requirements(path) == [
        "daft[ray,aws] >= 0.7, <1",
        "numpy==2.1   ; python_version < '3.13'",
        "my-lib @ git+https://git.example/lib.git@v1#egg=my-lib",
    ]


def test_a_file_of_windows_is_read_too(tmp_path: Path) -> None:
    assert read_requirements(write(tmp_path, b"\xef\xbb\xbfdaft\r\nnumpy\r\n")) == ["daft", "numpy"]


@pytest.mark.parametrize(
    ("line", "way_out"),
    [
        ("-r other.txt", "write what that file lists here"),
        ("--requirement=other.txt", "write what that file lists here"),
        ("-c constraints.txt", "write what that file lists here"),
        ("-e .", "without being installed"),
        ("--editable ./lib", "without being installed"),
        ("--index-url https://pypi.example/simple", "operator sets the package index"),
        ("daft==0.7 --hash=sha256:abc", "pin versions"),
        ("./wheels/x.whl", "NAME @ URL"),
        ("https://files.example/x.whl", "NAME @ URL"),
        ("git+ssh://git@git.example/x", "NAME @ URL"),
        ("not a requirement", "no requirement"),
        ("daft=0.7", "no requirement"),
    ],
)
def test_what_cannot_be_sent_says_what_to_do(tmp_path: Path, line: str, way_out: str) -> None:
    path = write(tmp_path, f"# first\nnumpy\n{line}\n")

    with pytest.raises(DependenciesInvalidError) as refused:
        read_requirements(path)

    (issue,) = refused.value.issues
    assert issue.path == "requirements.txt:3"
    assert way_out in issue.message


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DependenciesInvalidError) as refused:
        read_requirements(write(tmp_path, "-r a\ndaft\n-e .\n"))

    assert [issue.path for issue in refused.value.issues] == ["requirements.txt:1", "requirements.txt:3"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\\\nb\\\nc", [(1, "abc")]),
        ("a # x\\\nb", [(1, "a")]),
        ("# x\\\nb", [(2, "b")]),
        ("a\\\n# x\nb", [(1, "a"), (3, "b")]),
        ("a\\", [(1, "a")]),
        ("a#b", [(1, "a#b")]),
        ("\n\n a \n", [(3, "a")]),
    ],
)
def test_lines_are_joined_and_comments_left_out(text: str, lines: list[tuple[int, str]]) -> None:
    assert list(logical_lines(text)) == lines


@given(st.lists(st.text(alphabet="ab #\\\t", max_size=8), max_size=8))
def test_nothing_that_was_not_written_comes_out(written: list[str]) -> None:
    found = list(logical_lines("\n".join(written)))

    assert all(1 <= number <= len(written) for number, _ in found)
    assert [number for number, _ in found] == sorted({number for number, _ in found})
    assert all(text == text.strip() != "" for _, text in found)
