"""What a form asks for as Python for the SDK."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from daftray.client.entrypoint import parse_entrypoint
from daftray.domain.errors import InvalidInputError
from daftray.domain.spec import Entrypoint
from daftray.web.same_call import Call, Text

_TYPES = {
    "environment": "Environment",
    "resources": "Resources",
    "budget": "Budget",
    "retries": "Retries",
    "git": "GitSource",
    "directory": "DirectorySource",
    "file": "FileEntrypoint",
    "module": "ModuleEntrypoint",
    "function": "FunctionEntrypoint",
}
"""The types of the fields that are records."""
_INDENT = "    "


def code_of(call: Call) -> Text:
    """Return a program, and what it leaves out."""
    writer = _Code(call)
    return Text(text=writer.program(), notes=tuple(writer.notes))


class _Code:
    def __init__(self, call: Call) -> None:
        self._call = call
        self._types: set[str] = set()
        self._reasons = False
        self.notes: list[str] = []

    def program(self) -> str:
        arguments = [self._first(), *self._keywords()]
        lines = "".join(f"{_INDENT * 2}{one},\n" for one in arguments)
        verb = {"create": "runs.create", "rerun": "runs.rerun", "start": "tasks.start"}[self._call.kind]
        place = {"project": self._call.project, "workspace": self._call.workspace}
        given = ", ".join(
            f"{name}={value!r}" for name, value in place.items() if (name, value) != ("workspace", "default")
        )
        body = f"with Client({given}) as client:\n{_INDENT}run = client.{verb}(\n{lines}{_INDENT})\n"
        return f"{self._imports()}\n{body}{_INDENT}print(run.id)\n"

    def _first(self) -> str:
        if self._call.kind != "create":
            return repr(self._call.target)
        plain = self._call.fields["entrypoint"]
        return self._text(plain) or self._union("Entrypoint", plain)

    def _text(self, plain: dict[str, Any]) -> str | None:
        """Return an entrypoint without arguments as text, where that means the same."""
        given = msgspec.convert(plain, Entrypoint)
        if given.file:
            text, bare = given.file.file_path, Entrypoint(file=replace(given.file, argv=None))
        elif given.module:
            text, bare = given.module.module, Entrypoint(module=replace(given.module, argv=None))
        elif given.function:
            text, bare = given.label, Entrypoint(function=replace(given.function, args=None, kwargs=None))
        else:
            return None
        try:
            return repr(text) if parse_entrypoint(text) == bare else None
        except InvalidInputError:
            return None

    def _keywords(self) -> Iterable[str]:
        for name, value in self._call.fields.items():
            if name == "entrypoint":
                yield from self._entrypoint(value)
            elif name == "source":
                yield from self._source(value)
            elif name == "retries" and value is not None:
                yield f"retries={self._retries(value)}"
            elif name in _TYPES and value is not None:
                yield f"{name}={self._record(_TYPES[name], value)}"
            else:
                yield f"{name}={value!r}"
                if value is None and self._call.kind == "rerun" and name in {"name", "resources"}:
                    self.notes.append(f"The SDK's rerun does not take {name} away: the call over HTTP does.")
        if self._call.secrets:
            values = ", ".join(f"{name!r}: os.environ[{name!r}]" for name in self._call.secrets)
            yield f"secrets={{{values}}}"

    def _entrypoint(self, plain: dict[str, Any]) -> Iterable[str]:
        if self._call.kind != "create":
            yield f"entrypoint={self._union('Entrypoint', plain)}"
        elif self._text(plain):
            (part,) = plain.values()
            if args := part.get("argv") or part.get("args"):
                yield f"args={args!r}"
            if kwargs := part.get("kwargs"):
                yield f"kwargs={kwargs!r}"

    def _source(self, plain: dict[str, Any]) -> Iterable[str]:
        git = plain.get("git", {})
        if "bundle" in git:
            self.notes.append("What was sent along is named as this server keeps it.")
        simple = self._call.kind == "create" and set(plain) == {"git"} and "bundle" not in git
        if simple:
            yield from (f"{name}={git[name]!r}" for name in ("remote", "ref", "hash", "patch") if name in git)
        else:
            yield f"source={self._union('Source', plain)}"

    def _union(self, kind: str, plain: dict[str, Any]) -> str:
        self._types.add(kind)
        parts = ", ".join(f"{name}={self._record(_TYPES[name], part)}" for name, part in plain.items())
        return f"{kind}({parts})"

    def _record(self, kind: str, fields: dict[str, Any]) -> str:
        self._types.add(kind)
        return f"{kind}({', '.join(f'{name}={value!r}' for name, value in fields.items())})"

    def _retries(self, plain: dict[str, Any]) -> str:
        if set(plain) == {"max"}:
            return repr(plain["max"])
        self._types.add("Retries")
        fields = {name: repr(value) for name, value in plain.items()}
        if reasons := plain.get("on"):
            self._reasons = True
            fields["on"] = f"({''.join(f'FailureReason.{one.upper()}, ' for one in reasons)})"
        return f"Retries({', '.join(f'{name}={value}' for name, value in fields.items())})"

    def _imports(self) -> str:
        lines = ["from daftray import Client"]
        if self._types:
            lines.append(f"from daftray.domain.spec import {', '.join(sorted(self._types))}")
        if self._reasons:
            lines.append("from daftray.domain.status import FailureReason")
        head = "import os\n\n" if self._call.secrets else ""
        return head + "\n".join(lines) + "\n"
