"""What a form begins with: what a run or a task was asked to be; and whether a field says it still."""

from __future__ import annotations

import msgspec

from daftray.domain.spec import Entrypoint, GitSource, RunSpec, Source
from daftray.web.amounts import number_text, seconds_text, size_text
from daftray.web.form_lines import written_lines, written_pairs
from daftray.web.forms import Form
from daftray.web.run_arguments import Arguments, fields_in, spread, text_in

_UNCOMPARED = ("csrf_token", "once", "as.", "pick.", "secret-", "look")
"""Beginnings of fields that say nothing of the run, or say it by another one, or are only ever new."""


class Prefill(msgspec.Struct, frozen=True):
    """What a form begins with."""

    pairs: tuple[tuple[str, str], ...] = (("kind", "file"),)
    """Fields and values, but for arguments of a function."""
    arguments: Arguments = Arguments()
    sent_along: dict[str, str] = {}
    """A bundle and a patch that were brought along, by the references under which they are kept."""

    def form(self) -> Form:
        """Return the form before the signature of its function is seen."""
        return Form([*self.pairs, *spread(self.arguments, ()).texts.items()])

    def over(self, form: Form) -> Form:
        """Return the form with fields for arguments such as another one has."""
        return Form([*self.pairs, *spread(self.arguments, fields_in(form)).texts.items()])

    def differs(self, field: str, form: Form, was: Form) -> bool:
        """Whether a field says something else in a form than in the one that it was prefilled with."""
        if field.startswith(_UNCOMPARED):
            return False
        if field == "retries_on":
            return sorted(filter(None, form.all(field))) != sorted(filter(None, was.all(field)))
        return text_in(form, field).strip() != text_in(was, field).strip()


def prefill_of(spec: RunSpec, source: Source) -> Prefill:
    """Return what a form begins with that asks for the same, of a source that may be more exact by now."""
    git = source.git or GitSource()
    kind, path, symbol, argv = _entrypoint(spec.entrypoint)
    environment = spec.environment
    pairs = {
        "kind": kind,
        "path": path,
        "symbol": symbol,
        "argv": written_lines(argv),
        "ref": git.hash or git.ref or "",
        "remote": git.remote,
        "directory": source.directory.path if source.directory else "",
        "sent_along": "yes" if git.bundle or git.patch else "",
        "python_version": environment.python_version,
        "dependencies": written_lines(environment.dependencies),
        "variables": written_pairs(environment.environment_variables or {}),
        "name": spec.name or "",
        "labels": written_pairs(spec.labels),
        "runner": spec.runner,
        **_bounds(spec),
    }
    reasons = spec.retries.on if spec.retries and spec.retries.on else ()
    function = spec.entrypoint.function
    return Prefill(
        (*pairs.items(), *(("retries_on", reason.value) for reason in reasons)),
        Arguments(list(function.args or ()), dict(function.kwargs or {})) if function else Arguments(),
        {name: text for name, text in (("bundle", git.bundle), ("patch", git.patch)) if text},
    )


def _entrypoint(entrypoint: Entrypoint) -> tuple[str, str, str, list[str]]:
    """Return kind, path, symbol and the arguments of a command line."""
    if entrypoint.file:
        return "file", entrypoint.file.file_path, "", entrypoint.file.argv or []
    if entrypoint.module:
        return "module", entrypoint.module.module, "", entrypoint.module.argv or []
    function = entrypoint.function
    return ("function", function.module, function.symbol, []) if function else ("file", "", "", [])


def _bounds(spec: RunSpec) -> dict[str, str]:
    resources, retries, budget = spec.resources, spec.retries, spec.budget
    return {
        "num_cpus": number_text(resources.num_cpus if resources else None),
        "num_gpus": number_text(resources.num_gpus if resources else None),
        "memory": size_text(resources.memory if resources else None),
        "priority": str(spec.priority or ""),
        "queue_timeout_s": seconds_text(spec.queue_timeout_s),
        "start_timeout_s": seconds_text(spec.start_timeout_s),
        "timeout_s": seconds_text(spec.timeout_s),
        "retries_max": number_text(retries.max if retries else None),
        "retries_backoff": seconds_text(retries.backoff if retries else None),
        "budget_tokens": number_text(budget.tokens if budget else None),
        "budget_requests": number_text(budget.requests if budget else None),
        "budget_usd": number_text(budget.usd if budget else None),
    }
