"""What a form asks for as a command: ``daftray run``, ``daftray runs rerun``, ``daftray tasks start``."""

from __future__ import annotations

import shlex

from daftray.client.entrypoint import is_path
from daftray.domain.spec import Entrypoint, FunctionEntrypoint, GitSource
from daftray.web.amounts import seconds_text
from daftray.web.run_arguments import text_of
from daftray.web.same_call import Call, Text

_WIDTH = 88
_SECRETS = "secrets.env"
_LIMITS = {"timeout_s": "timeout", "start_timeout_s": "start-timeout", "queue_timeout_s": "queue-timeout"}
_RERUN = frozenset({"name", "labels", "priority", "retries", "budget", *_LIMITS})
"""What ``daftray runs rerun`` has options for."""


def command_of(call: Call) -> Text:
    """Return the command, and what it cannot say or takes from where it is called."""
    writer = _Command(call)
    words = writer.words()
    return Text(text=_wrapped(words), notes=tuple(writer.notes))


class _Command:
    def __init__(self, call: Call) -> None:
        self._call = call
        self._fields = call.fields
        self.notes: list[str] = []

    def words(self) -> list[list[str]]:
        """Return the words of the command, those of an option together."""
        call = self._call
        workspace = [] if call.workspace == "default" else [["--workspace", call.workspace]]
        head = {"create": ["run"], "rerun": ["runs", "rerun"], "start": ["tasks", "start"]}
        options = [["daftray"], *workspace, head[call.kind], ["--project", call.project], *self._bounds()]
        if call.kind == "rerun":
            self._cannot(self._fields.keys() - _RERUN)
            if call.secrets:
                self._cannot({"secrets"})
            return [*options, [call.target]]
        options += [*self._source(), *self._environment()]
        self._cannot(self._fields.keys() & {"resources"})
        target, arguments = self._target()
        return [*options, [target], *([one] for one in arguments)]

    def _bounds(self) -> list[list[str]]:
        fields = self._fields
        options = [_option(option, _time(fields[name])) for name, option in _LIMITS.items() if name in fields]
        if "priority" in fields:
            options.append(_option("priority", str(fields["priority"])))
        if "runner" in fields and self._call.kind != "rerun":
            options.append(_option("runner", fields["runner"]))
        if fields.get("name"):
            options.append(_option("name", fields["name"]))
        elif "name" in fields:
            self.notes.append("An option cannot take the name away.")
        if "labels" in fields and not fields["labels"]:
            self.notes.append("An option cannot take all labels away.")
        labels: dict[str, str] = fields.get("labels") or {}
        for name, value in labels.items():
            if not name or "=" in name:
                self.notes.append(f"An option cannot say the label {name!r}.")
            else:
                options.append(_option("label", f"{name}={value}"))
        return options + self._retries() + self._budget()

    def _retries(self) -> list[list[str]]:
        if "retries" not in self._fields:
            return []
        retries = self._fields["retries"]
        if retries is None:
            return [_option("retries", "0")]
        options = [_option("retries", str(retries["max"]))]
        if retries.get("on"):
            options.append(_option("retry-on", ",".join(retries["on"])))
        if "backoff" in retries:
            options.append(_option("retry-backoff", _time(retries["backoff"])))
        return options

    def _budget(self) -> list[list[str]]:
        if "budget" not in self._fields:
            return []
        budget = self._fields["budget"]
        amounts = "none" if budget is None else ",".join(f"{key}={one!r}" for key, one in budget.items())
        return [_option("budget", amounts)]

    def _source(self) -> list[list[str]]:
        source = self._call.source
        git = source.git or GitSource()
        if source.directory:
            self.notes.append("A command takes no folder of the server's.")
        if git.bundle or git.patch:
            self.notes.append("It leaves out what was sent along: --patch sends what is on your disk.")
        ref = git.hash or git.ref
        if self._call.kind == "start":
            if git.remote:
                self.notes.append("It takes the task's remote.")
            return [_option("ref", ref)] if ref else []
        remote = [_option("remote", git.remote)] if git.remote else []
        return [*remote, _option("ref", ref or self._call.branch)]

    def _environment(self) -> list[list[str]]:
        environment = self._call.environment
        version, variables = environment.python_version, environment.environment_variables or {}
        options = [_option("python", version)] if version else []
        options += [_option("dep", line) for line in environment.dependencies]
        options += [_option("env", f"{name}={value}") for name, value in variables.items()]
        if self._call.secrets:
            options.append(_option("env-file", _SECRETS))
            self.notes.append(f"{_SECRETS} has NAME=VALUE lines: {', '.join(self._call.secrets)}.")
        if self._call.kind == "create" and not (environment.dependencies and version):
            self.notes.append(
                "Without --dep and --python it takes what pyproject.toml, requirements.txt and "
                ".python-version say where it is called."
            )
        elif self._call.kind == "start" and "environment" in self._call.fields:
            self.notes.append("Variables are added to the task's.")
        return options

    def _target(self) -> tuple[str, list[str]]:
        """Return the entrypoint, or the task, and the arguments after it."""
        entrypoint = self._call.entrypoint or Entrypoint()
        plain, function = entrypoint.file or entrypoint.module, entrypoint.function
        arguments = list(plain.argv or ()) if plain else self._call_of(function) if function else []
        if self._call.kind == "start":
            if self._call.entrypoint:
                self.notes.append("Only the arguments of the entrypoint can be others than the task's.")
            return self._call.target, arguments
        if entrypoint.module:
            return entrypoint.module.module, arguments
        name = entrypoint.file.file_path if entrypoint.file else function.module if function else ""
        if entrypoint.file or is_path(name):
            name = name if is_path(name) and not name.startswith("-") else f"./{name}"
            self.notes.append("The path is the one from the repository's root.")
        return f"{name}:{function.symbol}" if function else name, arguments

    def _call_of(self, function: FunctionEntrypoint) -> list[str]:
        positional, named = function.args or [], function.kwargs or {}
        if not all(isinstance(one, str) for one in (*positional, *named.values())):
            self.notes.append("A command gives arguments as text, which the run converts by annotation.")
        options = [f"--{name}={text_of(value)}" for name, value in named.items()]
        return [*options, *(["--"] if positional else []), *(text_of(value) for value in positional)]

    def _cannot(self, names: set[str]) -> None:
        if names:
            self.notes.append(f"It has no options for {', '.join(sorted(names))}: take the code.")


def _option(name: str, value: str) -> list[str]:
    """Return an option and its value, in one word where they would not be understood in two."""
    return [f"--{name}={value}"] if value.startswith("-") else [f"--{name}", value]


def _time(seconds: float | None) -> str:
    return "none" if seconds is None else seconds_text(seconds)


def _wrapped(words: list[list[str]]) -> str:
    """Return the command on lines that are not too long, each word quoted as a shell needs it."""
    lines: list[str] = []
    line = ""
    for option in words:
        text = " ".join(shlex.quote(word) for word in option)
        if line and len(line) + len(text) >= _WIDTH:
            lines.append(line)
            line = f"  {text}"
        else:
            line = f"{line} {text}" if line else text
    return " \\\n".join([*lines, line])
