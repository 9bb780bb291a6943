"""How a command ends that could not do its work: one line on stderr and an exit code, never a traceback.

0    it did what was asked; `daftray run`: the run succeeded
1    it failed; `daftray run`: the run failed, unless the run's own exit code is known (1 to 125)
2    what was typed is not right: usage, input, no server or project known
130  the run was cancelled, or Ctrl-C ended the command
"""

from __future__ import annotations

import os

import typer
from typer.core import TyperGroup

from daftray.cli import screen
from daftray.client.errors import NotConfiguredError
from daftray.domain.errors import DaftrayError, InputIssue, InvalidInputError

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CANCELLED = 130


class CommandGroup(TyperGroup):
    """The commands, each ended in good order whatever happens in it."""

    def invoke(self, ctx: typer.Context) -> object:  # pyright: ignore[reportIncompatibleMethodOverride] (typer's own base class is private)
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise
        except DaftrayError as error:
            if _debugging():
                raise
            raise typer.Exit(tell(error)) from error
        except Exception as error:
            if _debugging():
                raise
            screen.say(
                f"error[internal]: {type(error).__name__}: {error}\n"
                "This is a defect of daftray's; DAFTRAY_DEBUG=1 shows where it is."
            )
            raise typer.Exit(EXIT_FAILED) from error


def tell(error: DaftrayError) -> int:
    """Say what went wrong, and return the exit code for it."""
    issues: tuple[InputIssue, ...] = error.issues if isinstance(error, InvalidInputError) else ()
    lines = [f"error[{error.code}]: {error.detail}"]
    lines += [f"  {issue.path}: {issue.message}" for issue in issues if issue.message != error.detail]
    screen.say("\n".join(lines))
    return EXIT_USAGE if isinstance(error, InvalidInputError | NotConfiguredError) else EXIT_FAILED


def _debugging() -> bool:
    return os.environ.get("DAFTRAY_DEBUG", "") not in {"", "0"}
