"""Say hello: the smallest run there is.

Try ``daftray run hello.py Ada Grace``.
"""

from __future__ import annotations

import platform
import sys


def main() -> None:
    """Greet everyone named on the command line."""
    for name in sys.argv[1:] or ["world"]:
        print(f"Hello, {name}!")
    print(f"Python {platform.python_version()} on {platform.node()}")


if __name__ == "__main__":
    main()
