"""Fits a run's arguments to a function: parameters filled, values converted, all mistakes told at once."""

from __future__ import annotations

import inspect
import typing

from daftray.runner import lookup
from daftray.runner.connections import current, mapping_of, sort_of
from daftray.runner.connections.secret_parts import ConnectionProblem
from daftray.runner.convert import ConversionError, convert
from daftray.runner.ending import ArgumentsInvalidError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from inspect import Parameter

    from daftray.runner.connections import Found

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_ANYTHING = (inspect.Parameter.empty, typing.Any, object)
"""Annotations of parameters whose mappings are taken for data sources and catalogs."""
_BY_NAME = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def bind(
    function: Callable[..., object], args: list[object], kwargs: dict[str, object]
) -> tuple[list[object], dict[str, object]]:
    """Return the arguments to call a function with, converted by its annotations.

    Raises:
        ArgumentsInvalidError: with a line for each argument that is wrong, missing, or too many.
    """
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):  # some builtins have none: they check for themselves
        return args, kwargs
    binding = _Binding(list(signature.parameters.values()), _annotations(function, signature))
    binding.positional(args)
    binding.named(kwargs)
    binding.missing()
    if binding.problems:
        name = getattr(function, "__qualname__", str(function))
        lines = "".join(f"\n  {problem}" for problem in binding.problems)
        raise ArgumentsInvalidError(f"The arguments do not fit {name}{signature}:{lines}")
    try:
        binding.open()
    except ConnectionProblem as problem:
        raise ArgumentsInvalidError(str(problem)) from None
    return binding.args, binding.kwargs


class _Binding:
    """One call being put together."""

    def __init__(self, parameters: list[Parameter], annotations: dict[str, object]) -> None:
        self._parameters = parameters
        self._annotations = annotations
        self._filled: set[str] = set()
        self.args: list[object] = []
        self.kwargs: dict[str, object] = {}
        self.problems: list[str] = []
        self._found: list[Found] = []

    def positional(self, values: list[object]) -> None:
        """Give the first parameters their values, in order."""
        by_position = [each for each in self._parameters if each.kind in _BY_POSITION]
        rest = next(
            (each for each in self._parameters if each.kind is inspect.Parameter.VAR_POSITIONAL), None
        )
        for parameter, value in zip(by_position, values, strict=False):
            self._filled.add(parameter.name)
            self.args.append(self._convert(parameter.name, parameter, value))
        extra = values[len(by_position) :]
        if rest is not None:
            self.args += [self._convert(f"{rest.name}[{at}]", rest, value) for at, value in enumerate(extra)]
        elif extra:
            self.problems.append(
                f"too many arguments: {len(values)} were given by position, {len(by_position)} can be"
            )

    def named(self, values: dict[str, object]) -> None:
        """Give parameters their values by name."""
        by_name = {each.name: each for each in self._parameters if each.kind in _BY_NAME}
        by_position = {
            each.name for each in self._parameters if each.kind is inspect.Parameter.POSITIONAL_ONLY
        }
        rest = next((each for each in self._parameters if each.kind is inspect.Parameter.VAR_KEYWORD), None)
        for name, value in values.items():
            parameter = by_name.get(name, rest)
            if name in by_name and name in self._filled:
                self.problems.append(f"{name}: given twice, by position and by name")
            elif parameter is not None:
                self._filled.add(name)
                self.kwargs[name] = self._convert(name, parameter, value)
            elif name in by_position:
                self._filled.add(name)
                self.problems.append(f"{name}: can be given by position only")
            else:
                self.problems.append(f"{name}: there is no such parameter.{lookup.close_to(name, by_name)}")

    def missing(self) -> None:
        """Note the parameters that need a value and have none."""
        for parameter in self._parameters:
            variable = parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
            if parameter.default is parameter.empty and not variable and parameter.name not in self._filled:
                self.problems.append(f"{parameter.name}: missing")

    def open(self) -> None:
        """Put data sources and catalogs in their places, once all else is right: this takes the network."""
        opened = {id(found): found.open() for found in self._found}
        self.args = [opened.get(id(value), value) for value in self.args]
        self.kwargs = {name: opened.get(id(value), value) for name, value in self.kwargs.items()}

    def _convert(self, name: str, parameter: Parameter, value: object) -> object:
        annotation = self._annotations.get(parameter.name, inspect.Parameter.empty)
        sort = sort_of(annotation)
        mapped = mapping_of(value) if any(annotation is one for one in _ANYTHING) else None
        if mapped is not None or (sort is not None and value is not None):
            return self._find(name, mapped[0] if mapped else str(sort), value)
        if parameter.name not in self._annotations:
            return value
        try:
            return convert(value, self._annotations[parameter.name])
        except ConversionError as error:
            self.problems += [f"{name}{problem}" for problem in error.problems]
            return None

    def _find(self, name: str, sort: str, value: object) -> object:
        try:
            self._found.append(current().find(sort, value))
        except ConnectionProblem as problem:
            self.problems.append(f"{name}: {problem}")
            return None
        return self._found[-1]


def _annotations(function: Callable[..., object], signature: inspect.Signature) -> dict[str, object]:
    """Return the parameters' annotations as types. One that cannot be read is as good as none.

    Names that a module imports for its type checker only, for example, do not exist when it runs.
    """
    written = {
        name: each.annotation
        for name, each in signature.parameters.items()
        if each.annotation is not inspect.Parameter.empty
    }
    if not inspect.isroutine(function) and not inspect.isclass(function):
        function = getattr(function, "func", type(function).__call__)  # a partial's own, or an object's call
    target = inspect.unwrap(function.__init__ if inspect.isclass(function) else function)
    target = getattr(target, "__func__", target)
    names = getattr(target, "__globals__", {})
    found: dict[str, object] = {}
    for name, annotation in written.items():
        holder = type("Holder", (), {"__annotations__": {name: annotation}})
        try:
            found[name] = typing.get_type_hints(holder, globalns=names, include_extras=True)[name]
        except Exception:
            if not isinstance(annotation, str) or sort_of(annotation):
                found[name] = annotation
    return found
