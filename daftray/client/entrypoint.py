"""From the way people write an entrypoint to the one that the API takes.

path/file.py             a file; the arguments are its argv
pkg.module               a module, as with ``python -m``; the arguments are its argv
path/file.py:function    a function in a file: ``--key=value``, ``--key value`` and ``--flag`` are
pkg.module:function      keyword arguments, anything else is positional; all of them are text
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from daftray.domain.errors import InputIssue, InvalidInputError
from daftray.domain.spec import Entrypoint, FileEntrypoint, FunctionEntrypoint, ModuleEntrypoint

FLAG_SET = "true"
"""The value of a flag that is given without one."""
_SHORT_OPTION = re.compile(r"-[A-Za-z]")


def parse_entrypoint(text: str, arguments: Sequence[str] = ()) -> Entrypoint:
    """Return the entrypoint that a text and the arguments after it mean.

    Raises:
        InvalidInputError: the text names nothing that Python can run, or an argument is malformed.
    """
    target, symbol = _split(text)
    if symbol is None:
        argv = list(arguments) or None
        if is_path(target):
            return Entrypoint(file=FileEntrypoint(file_path=target, argv=argv))
        _check_module(target)
        return Entrypoint(module=ModuleEntrypoint(module=target, argv=argv))
    if not is_path(target):
        _check_module(target)
    args, kwargs = parse_call(arguments)
    return Entrypoint(
        function=FunctionEntrypoint(
            module=target, symbol=symbol, args=list(args) or None, kwargs=dict(kwargs) or None
        )
    )


def is_path(target: str) -> bool:
    """Tell whether a target names a file rather than a module."""
    return "/" in target or target.endswith(".py")


def parse_call(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the positional and the keyword arguments that command-line arguments mean.

    An option takes the next argument as its value unless that is an option too; after ``--`` everything is
    positional. ``--some-key`` is ``some_key``.

    Raises:
        InvalidInputError: an option is no keyword, or is given twice.
    """
    positional: list[str] = []
    keywords: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return [*positional, *rest], keywords
        if not argument.startswith("--"):
            _refuse_short_option(argument)
            positional.append(argument)
            continue
        name, equals, value = argument[2:].partition("=")
        if not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else FLAG_SET
        keyword = _keyword(name)
        if keyword in keywords:
            raise _refusal(f"The argument --{name} is given twice.")
        keywords[keyword] = value
    return positional, keywords


def _split(text: str) -> tuple[str, str | None]:
    target, colon, symbol = text.rpartition(":")
    if not colon:
        return symbol, None
    if not target or not all(part.isidentifier() for part in symbol.split(".")):
        raise _refusal(
            f"{text!r} names no function: write path/file.py:function or pkg.module:function.",
        )
    return target, symbol


def _check_module(name: str) -> None:
    if not all(part.isidentifier() for part in name.split(".")):
        raise _refusal(
            f"{name!r} is neither a Python file nor a module: write path/file.py, pkg.module,"
            " path/file.py:function or pkg.module:function."
        )


def _keyword(name: str) -> str:
    keyword = name.replace("-", "_")
    if not keyword.isidentifier():
        raise _refusal(f"--{name} cannot be a function's argument: write --name=value.")
    return keyword


def _refuse_short_option(argument: str) -> None:
    if _SHORT_OPTION.match(argument):
        raise _refusal(
            f"A function has no short options such as {argument!r}: write --name=value,"
            " or put it after -- if it is a positional argument."
        )


def _refusal(message: str) -> InvalidInputError:
    return InvalidInputError(message, issues=(InputIssue(path="entrypoint", message=message),))
