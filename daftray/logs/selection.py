"""All the lines of a log that fit, as they are found: for a page that shows them alone, or counts them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable

import msgspec

from daftray.logs.archive import LogArchive
from daftray.logs.finding import Finder, Found, Scan

MOST_SELECTED = 100_000
MOST_TEXT_BYTES = 16 << 20
_SHOWN_BYTES = 8192


class SelectedLines(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Some of the lines that fit, by their numbers from one on, in order; their texts where asked for."""

    lines: list[int]
    texts: list[str] | None = None
    """A very long line's beginning alone."""


class SelectionEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The log was looked through.

    ``total`` is how many lines fit; ``more`` where not all of them were given. ``next`` is the number of the
    first line that was not looked through, since it was not there yet.
    """

    total: int
    more: bool
    next: int


async def select(
    archive: LogArchive, run_id: str, attempt: int, *, size: int, finder: Finder, texts: bool
) -> AsyncGenerator[SelectedLines | SelectionEnd, None]:
    """Yield the lines that fit, as they are found, and then the end.

    At most `MOST_SELECTED` of them, with `MOST_TEXT_BYTES` of text; the others are counted. Raises as
    `LogArchive.read` does.
    """
    chosen, scan = _Chosen(texts=texts), Scan(finder)
    async for data in archive.stream(run_id, attempt, size=size):
        if some := await asyncio.to_thread(chosen.take, scan.feed(data)):
            yield some
    ended = scan.line
    if some := chosen.take(scan.finish()):
        yield some
    yield SelectionEnd(total=chosen.total, more=chosen.more, next=max(ended, chosen.last + 1))


class _Chosen:
    """Takes what is found, up to a limit, and counts the rest."""

    def __init__(self, *, texts: bool) -> None:
        self._texts = texts
        self._left = MOST_TEXT_BYTES
        self.total = 0
        self.last: int = 0
        self.more = False

    def take(self, found: Iterable[Found]) -> SelectedLines | None:
        """Return what of it is to be given, if anything is."""
        lines, texts = list[int](), list[str]()
        for one in found:
            if one.line == self.last:  # another part of a very long line
                continue
            self.last = one.line
            self.total += 1
            self.more = self.more or self.total > MOST_SELECTED or self._left <= 0
            if not self.more:
                lines.append(one.line)
                if self._texts:
                    text = one.text[:_SHOWN_BYTES]
                    self._left -= len(text)
                    texts.append(text.decode(errors="replace"))
        return SelectedLines(lines=lines, texts=texts if self._texts else None) if lines else None
