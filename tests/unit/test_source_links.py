"""Links of a tree against the links of a real file system."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daftray.domain.errors import SourceRefusedError
from daftray.domain.ports import TreeFile
from daftray.runtime_env.links import without_links

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TARGETS = st.lists(st.sampled_from(["a", "b", "c", "..", "."]), min_size=1, max_size=4).map("/".join)
TREES = st.dictionaries(PATHS, st.one_of(st.none(), TARGETS), max_size=8)


def without_clashes(tree: dict[str, str | None]) -> list[TreeFile]:
    """Leave out what lies below a file or link of the tree, which no tree can hold."""
    return [
        TreeFile(path=path, target=target, data=b"" if target else path.encode())
        for path, target in tree.items()
        if not any(path.startswith(f"{other}/") for other in tree)
    ]


def on_disk(files: list[TreeFile], root: Path) -> None:
    for file in files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.target is None:
            path.write_bytes(file.data)
        else:
            path.symlink_to(file.target)


@settings(deadline=None)
@given(TREES)
@example({"a": None, "b/a": "../a/."})
def test_every_file_is_what_a_file_system_finds_there(tree: dict[str, str | None]) -> None:
    files = without_clashes(tree)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "root"
        root.mkdir()
        on_disk(files, root)
        try:
            flat, _ = without_links(files)
        except SourceRefusedError:
            assert any(".." in (file.target or "") for file in files)
            return
        assert {file.path: file.data for file in flat} == {
            file.path: (root / file.path).read_bytes() for file in flat
        }
        assert all((root / file.path).resolve().is_relative_to(root) for file in flat)
        found = {file.path for file in flat}
        for file in files:
            if (root / file.path).is_file():
                assert file.path in found


def test_the_order_of_the_files_does_not_matter() -> None:
    files = [TreeFile(path="z", target="m/f"), TreeFile(path="m/f", data=b"1"), TreeFile(path="a", data=b"2")]
    assert without_links(files) == without_links(files[::-1])


@pytest.mark.parametrize("hops", [39, 41])
def test_as_many_links_are_followed_as_linux_follows(hops: int) -> None:
    chain = [TreeFile(path=f"l{number}", target=f"l{number + 1}") for number in range(hops)]
    flat, warnings = without_links([*chain, TreeFile(path=f"l{hops}", data=b"x")])
    assert ("l0" in {file.path for file in flat}) == (hops == 39)
    assert bool(warnings) == (hops == 41)
