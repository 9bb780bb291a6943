"""Set up ``.venv``: ``python tools/bootstrap.py --extras dev``. The Makefile calls it before everything else.

This file is understood by every Python there is, so that an old one can say what is wrong with it.
"""

import sys

OLDEST = (3, 8)  # what environment.py is written in; the interpreter that it looks for is newer


def main():  # noqa: ANN201 (annotations would keep Python 2 from reading this)
    """Hand over to the real program, or say why not."""
    if sys.version_info < OLDEST:
        found = "this is Python {}.{}".format(*sys.version_info)
        sys.stderr.write("daftray: " + found + "; run it with Python 3.11 or newer, 3.12 at best.\n")
        return 1
    from environment import run  # noqa: PLC0415 (older Pythons cannot read that file)

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
