"""Colours of code: the text stays what it is, whatever it is."""

from __future__ import annotations

import ast
import inspect

import jinja2
from hypothesis import example, given
from hypothesis import strategies as st

from daftray.domain.problem import Frame, SourceLines
from daftray.web import python_text
from daftray.web.frames_shown import frame_shown
from daftray.web.pages import FOLDER
from daftray.web.python_text import coloured

PIECES = st.sampled_from(
    [
        *(
            "def f(x):",
            "    return 1",
            '"""',
            "'",
            "(",
            ")",
            "]",
            "{",
            "\\",
            "\t",
            "  ",
            "#",
            "f'{x!r:>{y}}'",
        ),
        *(
            "class A:",
            "ä = '日本'",
            "\r",
            "\f",
            "\0",
            "\u2028",
            "0x_",
            "1__0",
            "$",
            "<script>",
            "async",
            "b'\\x'",
        ),
    ]
)
LINES = st.lists(st.lists(PIECES | st.text(max_size=4), max_size=5).map("".join), max_size=11)


@given(LINES)
@example(["        x = 1", "    y = 2", "z = 3"])
@example(['"""', "code", "'''", '"""'])
@example(["\ud800 = 1", "b = 2"])
@example(["x" * 3000, "def f(): pass"])
def test_the_text_is_unchanged_and_no_line_is_lost(lines: list[str]) -> None:
    assert ["".join(part.text for part in parts) for parts in coloured(lines)] == lines
    assert all(part.text for parts in coloured(lines) for part in parts)


@given(LINES)
def test_a_page_escapes_every_part(lines: list[str]) -> None:
    templates = jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER), autoescape=True)
    frame = Frame(file="<script>.py", line=1, function="f", code="<script>")
    source = SourceLines(file=frame.file, first=1, lines=lines)
    macro = templates.from_string('{% from "problem_parts.html" import code %}{{ code(shown) }}')
    assert "<script>" not in macro.render(shown=frame_shown(frame, source))


def kinds(*lines: str) -> list[tuple[str, str]]:
    return [(part.text, part.kind) for parts in coloured(lines) for part in parts if part.kind]


def test_parts_are_what_they_are_to_python() -> None:
    assert kinds('    return f("a", 1)  # why') == [
        ("return", "keyword"),
        ('"a"', "string"),
        ("1", "number"),
        ("# why", "comment"),
    ]
    assert kinds("def load(x): pass") == [("def", "keyword"), ("load", "defined"), ("pass", "keyword")]
    assert kinds("x = '''a", "b''' + 2") == [("'''a", "string"), ("b'''", "string"), ("2", "number")]


def test_what_follows_a_cut_is_coloured_again() -> None:
    assert ("None", "keyword") in kinds("        'key': ), (", "x = None")
    assert ("None", "keyword") in kinds("            deep()", "    less = 1", "return None")
    assert ("if", "keyword") in kinds("the end of a docstring, it's cut", '    """', "    if x:")
    assert kinds("f(", "    1,") == [("1", "number")]


def test_all_of_a_real_module_is_coloured() -> None:
    source = inspect.getsource(python_text)
    found = kinds(*source.split("\n"))
    names = {
        node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    assert {text for text, kind in found if kind == "defined"} == names
