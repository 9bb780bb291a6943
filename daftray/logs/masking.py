"""Secret values in a log become stars, byte for byte, so that offsets stay those of Ray's own file.

A byte is masked if, in the whole log, some form of some secret covers it. That is decided piece by piece as
the log grows, with the same outcome however it is cut: the bytes at the end of what is known that could be
the beginning of a secret are not settled, and stay back until more is known or the log has ended.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from urllib.parse import quote, quote_plus

from daftray.logs.secret_parts import parts_of

SHORTEST_SECRET = 4
"""Bytes. A shorter value would be found all over a log; the API refuses to keep one."""
SHORTEST_LINE = 8
"""Bytes of a line of a longer value (a private key, a JSON file) that is masked by itself."""
FEW_FORMS = 200
"""So many looks for one form each take as long as one walk for any number of them."""
_GLANCE = 16
_STAR = b"*"
_Finder = Callable[[bytes, Iterable[bytes]], Iterator[tuple[int, int]]]


class Mask:
    """Covers secret values in one run's log. ``few`` is how many forms are looked for one after another."""

    def __init__(self, secrets: Iterable[str], *, few: int = FEW_FORMS) -> None:
        values = {value for secret in secrets for value in (secret, *parts_of(secret))}
        forms = {form for value in values for form in _forms(value) if len(form) >= SHORTEST_SECRET}
        # A longer form that holds a shorter one is covered by it in part only, so all of them are looked for.
        self._forms = sorted(forms)
        self._finder = _find_each if len(forms) <= few else _find_by_beginning(forms)
        self.reach = max((len(form) for form in self._forms), default=1) - 1
        """How many bytes before a byte can decide whether it is masked."""

    def __repr__(self) -> str:
        """Leave the values out: a repr ends up in logs."""
        return f"Mask(<{len(self._forms)} forms>)"

    def whole(self, text: bytes) -> bytes:
        """Return a whole log with its secrets covered."""
        return self.settled(text, known=0, final=True)

    def text(self, text: str) -> str:
        """Return a whole text with its secrets covered; half a surrogate pair becomes a question mark."""
        return self.whole(text.encode(errors="replace")).decode(errors="replace")

    def settled(self, text: bytes, *, known: int, final: bool) -> bytes:
        """Return the masked bytes from ``known`` on, as far as nothing that may follow could change them.

        The first ``known`` bytes of ``text`` were returned before; at least `reach` of them are needed,
        or as many as there are. ``final`` says that nothing follows.
        """
        end = len(text) if final else self._first_unsettled(text)
        if end <= known:
            return b""
        masked = bytearray(text)
        for start, form_end in self._finder(text, self._forms):
            masked[start:form_end] = _STAR * (form_end - start)
        return bytes(masked[known:end])

    def _first_unsettled(self, text: bytes) -> int:
        """Return where the earliest form begins that the end of the text cuts off, or else the end."""
        first = len(text)
        for form in self._forms:
            start = max(0, len(text) - len(form) + 1)
            while (start := text.find(form[:1], start, first)) >= 0:
                # The short look first: of a value of 64 KiB most candidates would copy half of it.
                if form.startswith(text[start : start + _GLANCE]) and form.startswith(text[start:]):
                    first = start
                    break
                start += 1
        return first


def _find_each(text: bytes, forms: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    """Yield where forms begin and end, overlapping ones too."""
    for form in forms:
        start = text.find(form)
        while start >= 0:
            yield start, start + len(form)
            start = text.find(form, start + 1)


def _find_by_beginning(forms: AbstractSet[bytes]) -> _Finder:
    """Return what finds the same in one walk, however many forms there are.

    A value of thousands of lines has as many forms, and a look for each takes seconds for a piece of a log.
    """
    lengths: dict[bytes, set[int]] = {}
    for form in forms:
        lengths.setdefault(form[:SHORTEST_SECRET], set()).add(len(form))

    def find(text: bytes, _: Iterable[bytes]) -> Iterator[tuple[int, int]]:
        last = len(text) - SHORTEST_SECRET
        for start in [at for at in range(last + 1) if text[at : at + SHORTEST_SECRET] in lengths]:
            for length in lengths[text[start : start + SHORTEST_SECRET]]:
                if (found := text[start : start + length]) in forms:
                    yield start, start + len(found)

    return find


def _forms(secret: str) -> Iterator[bytes]:
    """Yield a value as programs print it: raw, in base64, hex, a URL, JSON, in Python's repr, by lines."""
    raw = secret.encode(errors="surrogateescape")
    yield raw
    yield from _in_base64(raw)
    yield from (raw.hex().encode(), raw.hex().upper().encode())
    for quoted in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
        yield quoted.encode()
    for quoted in (json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret)):
        yield quoted[1:-1].encode(errors="surrogateescape")
    # Programs that wrap base64 (RFC 2045) break it after 76 characters.
    for line in [*raw.splitlines(), *base64.encodebytes(raw).splitlines()]:
        if len(line) >= SHORTEST_LINE:
            yield line


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """Yield a value's base64, by itself and as the part of a longer text's that the value alone decides.

    Within a longer text a value begins at one of three places of a group of three bytes; the characters at
    both ends mix its bits with its neighbours'.
    """
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).rstrip(b"=")
        for before, mixed in ((0, 0), (1, 2), (2, 3)):
            encoded = encode(bytes(before) + raw).rstrip(b"=")
            last = len(encoded) if (before + len(raw)) % 3 == 0 else len(encoded) - 1
            yield encoded[mixed:last]
