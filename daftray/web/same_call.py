"""What a form asks of the API, to be said in other ways."""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec

from daftray.domain.spec import Entrypoint, Environment, RunRequest, Source

_EMPTY: tuple[object, ...] = (None, "", [], {})
_WHOLE = frozenset({"kwargs", "environment_variables", "labels"})
"""Objects whose fields are people's own: an empty one says something."""
_NOTHING = msgspec.to_builtins(RunRequest(entrypoint=Entrypoint()))
Kind = Literal["create", "rerun", "start"]


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A text to copy, and what it does not say or take along."""

    text: str
    notes: tuple[str, ...] = ()


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call of the API. ``target`` is the run that is repeated, or the task that is started, by name.

    ``fields`` are those of the body in plain types, without secrets, of which there are the names.
    """

    kind: Kind
    target: str = ""
    server: str
    workspace: str
    project: str
    branch: str
    """The project's own, which a command line has to be told in place of the working copy that it is in."""
    fields: dict[str, Any]  # any JSON
    secrets: tuple[str, ...] = ()

    @property
    def entrypoint(self) -> Entrypoint | None:
        """What is executed, where that is said."""
        return msgspec.convert(self.fields["entrypoint"], Entrypoint) if "entrypoint" in self.fields else None

    @property
    def source(self) -> Source:
        """Where the code is from; where that is not said, nothing."""
        return msgspec.convert(self.fields.get("source", {}), Source)

    @property
    def environment(self) -> Environment:
        """What is around the run; where that is not said, nothing."""
        return msgspec.convert(self.fields.get("environment", {}), Environment)


def said_in(request: RunRequest) -> dict[str, Any]:  # the same
    """Return the fields of a create call that say something, in plain types and without secrets."""
    plain = cast("dict[str, Any]", msgspec.to_builtins(request))
    said = {name: value for name, value in plain.items() if value != _NOTHING[name] and name != "secrets"}
    return {name: value for name, value in said_by(said).items() if value not in _EMPTY}


def said_by(overrides: dict[str, Any]) -> dict[str, Any]:  # the same
    """Return the fields of overrides without what is null or empty inside of them, and without secrets."""
    given = {name: value for name, value in overrides.items() if name != "secrets"}
    return {name: value if name in _WHOLE else _said(value) for name, value in given.items()}


def _said(value: object) -> object:
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, object]", value)
    inside = {name: one if name in _WHOLE else _said(one) for name, one in fields.items()}
    return {name: one for name, one in inside.items() if one not in _EMPTY}
