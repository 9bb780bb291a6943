"""Print one line a second: something to follow, and to cancel.

Try ``daftray run ticker.py 60``.
"""

from __future__ import annotations

import sys
import time


def main() -> None:
    """Count the seconds that the command line asks for."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    for second in range(1, seconds + 1):
        print(f"second {second} of {seconds}", flush=True)
        time.sleep(1)


if __name__ == "__main__":
    main()
