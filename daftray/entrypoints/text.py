"""A file's text as its syntax tree points into it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings

from daftray.domain.errors import InputIssue, InvalidInputError

LONGEST_SHOWN = 500
"""Characters of an annotation or a default."""
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|$)")


class SourceText:
    """A Python file: its tree, and the text of a part of it.

    Raises:
        InvalidInputError: it is not valid Python of this server's version, and at which line.
    """

    def __init__(self, data: bytes, path: str) -> None:
        self._path = path
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            text = data.decode(encoding)
            self.tree = _parsed(text)
        except SyntaxError as exc:
            raise self.refusal(exc.msg, exc.lineno) from exc
        except (ValueError, LookupError) as exc:  # bytes that are none of the encoding's, or a NUL
            raise self.refusal("it is no Python text") from exc
        except (RecursionError, MemoryError) as exc:
            raise self.refusal("it is nested too deeply") from exc
        # Places in a tree count bytes of UTF-8, whatever the file's own encoding is.
        self._lines = _LINE.findall(text.removeprefix("\ufeff").encode())

    def of(self, node: ast.expr | None) -> str | None:
        """Return the text of an expression, on one line and no longer than `LONGEST_SHOWN`."""
        if node is None or node.end_lineno is None or node.end_col_offset is None:
            return None
        lines = self._lines[node.lineno - 1 : node.end_lineno]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        text = " ".join(b"".join(lines).decode(errors="replace").split()) if len(lines) > 1 else None
        text = text if text is not None else lines[0].decode(errors="replace")
        return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"

    def refusal(self, said: str, line: int | None = None) -> InvalidInputError:
        """Return the error for a file that cannot be read."""
        where = f"{self._path}, line {line}" if line else self._path
        issue = InputIssue(path="path", message=f"{where}: {said}")
        return InvalidInputError(f"The file cannot be read as Python: {where}: {said}.", issues=(issue,))


def expression(text: str) -> ast.expr | None:
    """Return the tree of an annotation that is written as text, or nothing where it is none."""
    try:
        return _parsed_expression(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd escapes and the like: not ours to tell
        return ast.parse(text)


def _parsed_expression(text: str) -> ast.expr:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text.strip(), mode="eval").body
