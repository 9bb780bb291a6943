"""``daftray runs problems | source``: the exceptions of a run, and the code that they come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from daftray.cli import screen
from daftray.cli.options import AsJson, Attempt, Project, RunId
from daftray.cli.session import connect_to_project
from daftray.cli.summary import problem_lines
from daftray.domain.errors import InvalidInputError
from daftray.domain.problem import Frame, Problem, ProblemDetail, ProblemSample, SourceLines

_EPILOG = """\b
Examples:
  daftray runs problems RUN                     all, the most frequent first
  daftray runs problems RUN 3f2a90c1d4e5b687    one of them, with samples and its code
  daftray runs problems RUN --against OLDER_RUN what is new, and what is gone
  daftray runs source RUN pipelines/score.py    a file as the run had it
"""
_SHOWN_SAMPLES = 5


def add_to(app: typer.Typer) -> None:
    """Add the commands to the group of runs."""
    app.command("problems", epilog=_EPILOG)(problems)
    app.command("source")(source)


def problems(
    context: typer.Context,
    run: RunId,
    fingerprint: Annotated[
        str | None, typer.Argument(metavar="[FINGERPRINT]", help="One problem.", show_default=False)
    ] = None,
    *,
    project: Project = None,
    attempt: Attempt = None,
    against: Annotated[
        str | None, typer.Option("--against", metavar="RUN", help="Say what is new beside another run.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a run's exceptions, equal ones counted together."""
    client = connect_to_project(context, project)
    if fingerprint is not None:
        if against is not None:
            raise InvalidInputError("Give either a fingerprint or --against.")
        detail = client.runs.problem(run, fingerprint, attempt=attempt)
        screen.emit_json(detail) if as_json else screen.emit("\n".join(_detail_lines(detail)))
        return
    if against is not None:
        if attempt is not None:
            raise InvalidInputError("Runs are compared over all their attempts: leave --attempt out.")
        comparison = client.runs.compare_problems(run, against)
        if as_json:
            screen.emit_json(comparison)
            return
        _tell("new", comparison.new)
        _tell("seen before", comparison.seen)
        _tell("gone", comparison.gone)
        return
    found = client.runs.problems(run, attempt=attempt)
    if as_json:
        screen.emit_json({"problems": found})
        return
    if not found:
        screen.say("No problems are known.")
    for problem in found:
        screen.emit("\n".join([*problem_lines(problem), _facts(problem)]))


def source(
    context: typer.Context,
    run: RunId,
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="A file of the repository.", show_default=False)
    ],
    project: Project = None,
) -> None:
    """Print a file as the run had it: at its commit, with the changes that came along."""
    screen.emit_bytes(connect_to_project(context, project).runs.source(run, path))


def _tell(what: str, found: Iterable[Problem]) -> None:
    problems = list(found)
    screen.emit(f"{what}: {len(problems)}")
    for problem in problems:
        screen.emit("\n".join(f"  {line}" for line in [*problem_lines(problem), _facts(problem)]))


def _facts(problem: Problem) -> str:
    return f"  {problem.handled}, last {screen.cell(problem.last_seen)}, fingerprint {problem.fingerprint}"


def _detail_lines(detail: ProblemDetail) -> list[str]:
    first = detail.problems[0]
    lines = [problem_lines(first)[0]]
    lines += [
        f"  attempt {one.attempt}: {one.count} times, {one.handled}, {screen.cell(one.first_seen)} to "
        f"{screen.cell(one.last_seen)}"
        for one in detail.problems
    ]
    code = [*detail.source, *([None] * len(first.frames))]
    for frame, shown in zip(first.frames, code, strict=False):
        lines += _frame_lines(frame, shown)
    lines += [f"  caused by {cause.type}: {cause.message}" for cause in first.causes]
    lines += [f"  note: {note}" for note in first.notes]
    if detail.samples:
        lines.append("samples:")
        lines += [_sample_line(sample) for sample in detail.samples[:_SHOWN_SAMPLES]]
    return lines


def _frame_lines(frame: Frame, shown: SourceLines | None) -> list[str]:
    lines = [f"  {frame.file}:{frame.line} in {frame.function}"]
    if shown is None:
        return [*lines, f"    {frame.code.strip()}"] if frame.code else lines
    if shown.link:
        lines.append(f"  {shown.link}")
    for number, text in enumerate(shown.lines, shown.first):
        lines.append(f"  {'>' if number == frame.line else ' '} {number:>5}  {text}".rstrip())
    return lines


def _sample_line(sample: ProblemSample) -> str:
    given = "" if sample.arguments is None else f" called with ({', '.join(sample.arguments)})"
    worker = f" in {sample.worker}" if sample.worker else ""
    return f"  {screen.cell(sample.at)}{worker}: {screen.cell(sample.message)}{given}"
