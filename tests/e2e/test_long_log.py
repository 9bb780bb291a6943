"""A long log, in bytes that are no text, is kept as it was written, and followed without gap or repeat."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from e2e_platform import Platform, program_output

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.status import RunStatus

pytestmark = pytest.mark.ray

LINES = 200_000
CUTS = 5

PROGRAM = f"""\
import sys

out = sys.stdout.buffer
for n in range({LINES}):
    out.write(b"line %06d \\xff\\xfe \\xc3\\xa4 " % n + b"x" * (n % 80) + b"\\n")
out.write(b"the last line has no end")
out.flush()
"""


def written() -> bytes:
    lines = (b"line %06d \xff\xfe \xc3\xa4 " % n + b"x" * (n % 80) + b"\n" for n in range(LINES))
    return b"".join(lines) + b"the last line has no end"


def test_a_long_log_is_kept_and_followed_byte_for_byte(
    platform: Platform, client: Client, ended: Callable[[Run], Run]
) -> None:
    commit = platform.repo.commit({"log/main.py": PROGRAM})
    run = client.runs.create("log/main.py", hash=commit)
    expected = written()
    followed: list[str] = []
    offset = 0
    for cut in range(CUTS + 1):
        for seen, line in enumerate(client.runs.follow(run, from_=offset)):
            followed.append(line.message)
            assert line.offset > offset
            offset = line.offset
            if cut < CUTS and seen >= LINES // (CUTS + 2):
                break
    last = ended(run)
    assert last.status is RunStatus.SUCCEEDED
    kept = client.runs.logs(run)
    assert hashlib.sha256(program_output(kept)).digest() == hashlib.sha256(expected).digest()
    assert len(followed) == kept.count(b"\n") + 1
    assert "\n".join(followed) == kept.decode(errors="replace")
    assert client.runs.logs(run, start=len(kept) - 8) == b"s no end"
    assert client.runs.logs(run, tail=2).endswith(b"the last line has no end")
