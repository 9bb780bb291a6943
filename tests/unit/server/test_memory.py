from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

THREADS = 6
PROGRAM = f"""
import ctypes, sys, threading
from daftray.server.memory import share_arenas

if "shared" in sys.argv:
    share_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
all_there, over = threading.Barrier({THREADS} + 1), threading.Event()

def hold():
    libc.malloc(ctypes.c_size_t(10_000))
    all_there.wait()
    over.wait()

threads = [threading.Thread(target=hold) for _ in range({THREADS})]
for thread in threads:
    thread.start()
all_there.wait()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
over.set()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only GNU's allocator has arenas")
@pytest.mark.parametrize(
    ("argument", "variables", "most"),
    [("shared", {}, 2), ("shared", {"MALLOC_ARENA_MAX": "3"}, 3)],
)
def test_threads_share_two_arenas_unless_somebody_chose(
    argument: str, variables: dict[str, str], most: int
) -> None:
    assert arenas(argument, variables) == most


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only GNU's allocator has arenas")
def test_each_thread_would_have_its_own_otherwise() -> None:
    assert arenas("apart", {}) > 3


def arenas(argument: str, variables: dict[str, str]) -> int:
    """Return how many arenas a process has whose threads all hold memory."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("MALLOC", "GLIBC"))
    }
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, argument],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**inherited, **variables},
    )
    return told.stdout.count("<heap nr=")
