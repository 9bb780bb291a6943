"""Programs that the end-to-end tests commit and run."""

from __future__ import annotations

PROGRAM = """\
import argparse
import os
import sys


def inner():
    raise ValueError("as asked")


parser = argparse.ArgumentParser()
parser.add_argument("--count", type=int, default=1)
parser.add_argument("--raise", dest="fail", action="store_true")
parser.add_argument("--exit", action="store_true")
asked = parser.parse_args()
print(f"name={__name__} argv={sys.argv[1:]} file={os.path.basename(__file__)}")
if asked.fail:
    inner()
if asked.exit:
    sys.exit(3)
"""

FUNCTIONS = """\
import asyncio
import sys


def double(count: int):
    return {"doubled": count * 2}


def inner():
    raise ValueError("as asked")


def fail():
    inner()


def leave():
    sys.exit(3)


async def later():
    await asyncio.sleep(0)
    return "later"
"""

WAIT_FOR_FILE = '''\
"""Says that it is there, and ends once a file exists (or after two minutes, whatever happens)."""
import os
import sys
import time

print("waiting", flush=True)
for _ in range(1200):
    if os.path.exists(sys.argv[1]):
        break
    time.sleep(0.1)
print("done", flush=True)
'''
