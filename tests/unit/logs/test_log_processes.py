"""Whose a line is, by what Ray puts before it, and the lines of one process among all."""

from __future__ import annotations

import pytest
from factories import a_run
from fake_ray import FakeRayJobs
from fakes import InMemoryBlobs, InMemoryRunStore

from daftray.logs import selection
from daftray.logs.archive import LogArchive
from daftray.logs.chunks import CHUNK, key_of, spans
from daftray.logs.finding import Finder, holding, of_process
from daftray.logs.processes import DRIVER, label_of, labels_in, written_by
from daftray.logs.selection import SelectedLines, SelectionEnd, select

RUN = a_run(id="run_1")
CYAN, PLAIN = b"\x1b[36m", b"\x1b[0m"


@pytest.mark.parametrize(
    ("line", "label"),
    [
        (b"(embed pid=12) hello", "embed pid=12"),
        (CYAN + b"(embed pid=12)" + PLAIN + b" hello", "embed pid=12"),
        (CYAN + b"(embed pid=12, ip=10.0.0.7)" + PLAIN + b" hello", "embed pid=12, ip=10.0.0.7"),
        (b"(Model(a=1, b='x') pid=3) hello", "Model(a=1, b='x') pid=3"),
        (b"(pid=3) hello", "pid=3"),
        (b"(raylet) hello", "raylet"),
        (b"(raylet, ip=10.0.0.7) hello", "raylet"),
        (b"(autoscaler +1m2s) hello", "autoscaler"),
        (b"\xff(embed pid=12) hello", None),
        (b"so (embed pid=12)", None),
        (b"(embed) pid=12", None),
        (b"(embed pid=x)", None),
        (b"(" + b"x" * 300 + b" pid=1)", None),
        (b"", None),
    ],
    ids=range(14),
)
def test_ray_says_whose_a_line_is(line: bytes, label: str | None) -> None:
    assert label_of(line) == label
    assert labels_in(b"first\n" + line + b"\nlast", 10) == ([label] if label else [])
    assert written_by(DRIVER)(line) is (label is None)
    if label:
        assert written_by(label)(line)
        assert not written_by("other")(line)


def test_a_name_stands_for_all_its_processes() -> None:
    fits = written_by("embed")
    assert fits(b"(embed pid=1) x")
    assert fits(b"(embed pid=2, ip=10.0.0.1) x")
    assert not fits(b"(embed2 pid=1) x")
    assert not fits(b"embed")


def test_names_are_told_once_and_not_without_end() -> None:
    data = b"".join(b"(f pid=%d) x\n(raylet) y\n" % number for number in range(50)) * 2
    assert labels_in(data, 3) == ["f pid=0", "raylet", "f pid=1"]


async def selected(log: bytes, finder: Finder, *, texts: bool) -> tuple[list[int], list[str], SelectionEnd]:
    blobs = InMemoryBlobs()
    for index, start, end in spans(0, len(log)):
        await blobs.put(key_of(RUN.id, 1, index, len(log)), log[index * CHUNK + start : index * CHUNK + end])
    archive = LogArchive(blobs=blobs, rayjobs=FakeRayJobs(), runs=InMemoryRunStore())
    lines, given, last = list[int](), list[str](), None
    async for part in select(archive, RUN.id, 1, size=len(log), finder=finder, texts=texts):
        if isinstance(part, SelectedLines):
            lines += part.lines
            given += part.texts or []
        else:
            last = part
    assert last is not None
    return lines, given, last


async def test_the_lines_of_one_process_have_their_true_numbers() -> None:
    log = b"".join(
        (b"(f pid=%d) line %d %s\n" % (number % 3, number, b"." * 60)) if number % 4 else b"driver\n"
        for number in range(30_000)
    )
    assert len(log) > 4 * CHUNK
    lines, texts, last = await selected(log, of_process("f pid=1"), texts=True)
    expected = [number for number in range(30_000) if number % 4 and number % 3 == 1]
    assert lines == [number + 1 for number in expected]
    assert [text.split()[3] for text in texts] == [str(number) for number in expected]
    assert last == SelectionEnd(total=len(expected), more=False, next=30_001)
    lines, texts, last = await selected(log, of_process(DRIVER), texts=True)
    assert lines == [number + 1 for number in range(0, 30_000, 4)]
    assert set(texts) == {"driver"}


async def test_matches_are_counted_beyond_those_that_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MOST_SELECTED", 100)
    lines, texts, last = await selected(b"a match\nnone\n" * 50_000, holding("MATCH"), texts=False)
    assert lines == list(range(1, 200, 2))
    assert texts == []
    assert last == SelectionEnd(total=50_000, more=True, next=100_001)


async def test_so_much_text_is_given_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MOST_TEXT_BYTES", 20_000)
    lines, texts, last = await selected(
        b"y" * 10_000 + b"\n" + b"short\n" * 9, of_process(DRIVER), texts=True
    )
    assert len(lines) == 10
    assert len(texts[0]) < 10_000
    lines, _, last = await selected((b"y" * 10_000 + b"\n") * 9, of_process(DRIVER), texts=True)
    assert (lines, last.total, last.more) == ([1, 2, 3], 9, True)


async def test_a_line_that_still_grows_is_looked_at_again() -> None:
    _, _, last = await selected(b"one\ntw", holding("two"), texts=False)
    assert last == SelectionEnd(total=0, more=False, next=2)
    lines, _, last = await selected(b"one\ntwo", holding("two"), texts=False)
    assert (lines, last.next) == ([2], 3)


async def test_a_line_without_an_end_is_one() -> None:
    lines, _, last = await selected(b"x" * (4 * CHUNK) + b"\nb\n", of_process(DRIVER), texts=False)
    assert (lines, last.total) == ([1, 2], 2)
