from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftray.logs.masking import Mask

SECRET = "s3cr3t/Value+with=signs"
KEY = "-----BEGIN KEY-----\nabcdefgh12345678\nshort\nijklmnop90123456\n-----END KEY-----\n"


def in_pieces(mask: Mask, text: bytes, ends: list[int]) -> bytes:
    """Mask a text as the archive does: each time from `reach` bytes before what is done on."""
    done = b""
    for end in [*sorted(ends), len(text)]:
        known = min(len(done), mask.reach)
        start = len(done) - known
        if end >= len(done):
            done += mask.settled(text[start:end], known=known, final=False)
    known = min(len(done), mask.reach)
    return done + mask.settled(text[len(done) - known :], known=known, final=True)


few_letters = st.text(alphabet="ab\n", min_size=1, max_size=12)


@given(
    text=st.text(alphabet="ab\n%", max_size=80),
    secrets=st.lists(few_letters, max_size=3),
    ends=st.lists(st.integers(0, 80), max_size=6),
)
def test_cuts_make_no_difference(text: str, secrets: list[str], ends: list[int]) -> None:
    mask = Mask(secrets)
    log = text.encode()
    assert in_pieces(mask, log, [min(end, len(log)) for end in ends]) == mask.whole(log)


@given(
    secret=st.text(min_size=4, max_size=30), around=st.binary(max_size=9), ends=st.lists(st.integers(0, 60))
)
def test_no_form_of_a_secret_survives(secret: str, around: bytes, ends: list[int]) -> None:
    raw = secret.encode()
    forms = [
        raw,
        *(text.encode() for text in (quote(secret), quote(secret, safe=""), quote_plus(secret))),
        *(json.dumps(secret, ensure_ascii=ascii_only)[1:-1].encode() for ascii_only in (True, False)),
        repr(secret)[1:-1].encode(),
        base64.b64encode(raw).rstrip(b"="),
        base64.urlsafe_b64encode(raw).rstrip(b"="),
        raw.hex().encode(),
        raw.hex().upper().encode(),
    ]
    log = around + b" ".join(forms) + around
    masked = in_pieces(Mask([secret]), log, [min(end, len(log)) for end in ends])
    assert len(masked) == len(log)
    at = len(around)
    for form in forms:
        assert masked[at : at + len(form)] == b"*" * len(form)
        at += len(form) + 1


def test_a_value_that_changes_in_each_form_is_covered_in_all_of_them() -> None:
    """Arbitrary values hardly ever hold what one encoding escapes and its neighbour does not."""
    secret = "a/b c+d?e~\xff\xfe>>>???é"
    raw = secret.encode()
    forms = {
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
    }
    assert len(forms) == 7
    for form in forms:
        masked = Mask([secret]).whole(f"<{form}>".encode()).replace(b"=", b"*")
        assert masked == b"<" + b"*" * len(form.encode()) + b">"


def test_base64_in_lines_is_covered_line_by_line() -> None:
    secret = "a private key of more than one line of base64: " + "0123456789" * 9
    wrapped = base64.encodebytes(secret.encode())
    assert wrapped.count(b"\n") > 2
    masked = Mask([secret]).whole(wrapped)
    assert [line.strip(b"*=") for line in masked.splitlines()] == [b""] * wrapped.count(b"\n")


@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"xyz"])
def test_a_secret_within_base64_is_covered_but_for_the_characters_it_shares(before: bytes) -> None:
    secret = "a-token-of-some-length"
    encoded = base64.b64encode(before + secret.encode() + b"-after")
    masked = Mask([secret]).whole(encoded)
    assert len(masked) == len(encoded)
    decoded = base64.b64decode(encoded[:4] + masked[4:].replace(b"*", b"A"))
    assert b"token-of-some" not in decoded
    assert masked.count(b"*") >= len(secret) * 4 // 3 - 3


def test_each_byte_of_overlapping_secrets_is_covered() -> None:
    assert Mask(["abcabc", "bcabcd"]).whole(b"-abcabcabcd-") == b"-**********-"
    assert Mask(["abab"]).whole(b"-ababab-") == b"-******-"


def test_lines_of_a_long_value_are_covered_by_themselves() -> None:
    masked = Mask([KEY]).whole(b"> ijklmnop90123456\n> short\n")
    assert masked == b"> ****************\n> short\n"
    assert Mask([KEY]).whole(KEY.encode()) == b"*" * len(KEY)


def test_a_value_as_json_and_python_print_it() -> None:
    secret = "line\n\"quoted\" 'ünïcode'"
    for shown in (json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret)):
        masked = Mask([secret]).whole(shown.encode())
        assert masked.strip(b"\"'") == b"*" * (len(shown.encode()) - 2)


def test_short_values_stay() -> None:
    assert Mask(["abc", ""]).whole(b"abc") == b"abc"


def test_nothing_is_held_back_that_cannot_begin_a_secret() -> None:
    mask = Mask(["x" * 4000 + "y"])
    assert mask.settled(b"a line\nthen xx", known=0, final=False) == b"a line\nthen "
    assert mask.settled(b"a line\nthen", known=0, final=False) == b"a line\nthen"


def test_a_mask_does_not_show_its_secrets() -> None:
    assert "s3cr3t" not in repr(Mask([SECRET]))


@given(
    text=st.text(alphabet="ab\n%", max_size=80),
    secrets=st.lists(st.text(alphabet="ab\n", min_size=4, max_size=12), max_size=5),
    known=st.integers(0, 20),
    final=st.booleans(),
)
def test_many_forms_are_found_as_few_are(text: str, secrets: list[str], known: int, final: bool) -> None:
    few, many = Mask(secrets), Mask(secrets, few=0)
    assert many.settled(text.encode(), known=known, final=final) == few.settled(
        text.encode(), known=known, final=final
    )


def test_a_value_of_thousands_of_lines_is_covered_line_by_line() -> None:
    lines = [f"line-{number:06}" for number in range(5000)]
    masked = Mask(["\n".join(lines)]).whole(b"< line-004711 > line-00471 line-999999")
    assert masked == b"< *********** > line-00471 line-999999"
