"""``python -m daftray`` is the command line."""

from daftray.cli import main

if __name__ == "__main__":
    main()
