"""Which code a run gets: a commit, the commits that the remote lacks, and what is only on disk."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import msgspec

from daftray.cli import screen
from daftray.cli.remotes import is_of_checkout, same_repository, without_credentials
from daftray.domain.errors import InputIssue, InvalidInputError, SourceRefusedError
from daftray.domain.project import Project
from daftray.domain.spec import GitSource, Source

if TYPE_CHECKING:
    from daftray.adapters.gitrepo.checkout import Checkout

_SHORT = 10
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
"""What is taken for a commit's hash; a branch can hardly be named so, and Git itself warns of it."""


class SourceChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed about the source. ``patch`` is None where nothing was."""

    ref: str | None = None
    remote: str | None = None
    patch: bool | None = None


def choose_source(choice: SourceChoice, checkout: Checkout | None, project: Project) -> Source:
    """Return the source of a run, saying on stderr what it holds beyond a pushed commit.

    Raises:
        InvalidInputError: the options contradict each other, or it must be said whether to send changes.
    """
    if checkout is None or choice.ref is not None:
        if choice.patch:
            raise _refusal("--patch sends what is on disk in a Git repository: it does not go with --ref.")
        remote = choice.remote or (_other_remote(checkout, project) if checkout else "")
        return named_source(remote, choice.ref)
    patch = _patch(choice, checkout)
    remote = choice.remote or _other_remote(checkout, project)
    is_itself = same_repository(remote or project.source.remote.remote, str(checkout.root))
    bundle = None if is_itself or checkout.is_head_on_remote() else _bundle(checkout)
    return Source(
        git=GitSource(
            remote=remote,
            hash=checkout.head,
            bundle=base64.b64encode(bundle).decode("ascii") if bundle else None,
            patch=patch or None,
        )
    )


def named_source(remote: str, ref: str | None) -> Source:
    """Return the source that a branch, tag or commit of a remote is; the project's where neither is named."""
    if ref is not None and _COMMIT.fullmatch(ref):
        return Source(git=GitSource(remote=remote, hash=ref))
    return Source(git=GitSource(remote=remote, ref=ref)) if remote or ref else Source()


def _other_remote(checkout: Checkout, project: Project) -> str:
    """Return the checkout's remote where it is not the project's own, which needs no naming."""
    if checkout.remote is None or is_of_checkout(project, checkout):
        return ""
    remote = without_credentials(checkout.remote)
    screen.say(f"The code is that of {remote}, which is not the remote of project {project.name}.")
    return remote


def _bundle(checkout: Checkout) -> bytes:
    screen.say(f"Commit {checkout.head[:_SHORT]} is not on the remote: sending the commits that it lacks.")
    return checkout.bundle()


def _patch(choice: SourceChoice, checkout: Checkout) -> str:
    """Return the changes on disk as they are to be sent, or "" where there are none or none are wanted."""
    if choice.patch is False:
        return ""
    patch = checkout.patch()
    if not patch:
        return ""
    if choice.patch is None:
        _ask_for(checkout)
    screen.say(f"Sending what is on disk on top of commit {checkout.head[:_SHORT]}.")
    try:
        return patch.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise SourceRefusedError(
            "A changed text file is not UTF-8, so the changes cannot be sent: commit them."
        ) from exc


def _ask_for(checkout: Checkout) -> None:
    question = f"Files here differ from commit {checkout.head[:_SHORT]}."
    if not screen.interactive():
        raise _refusal(f"{question} Say --patch to send exactly what is on disk, --no-patch to leave it out.")
    if not screen.ask(f"{question} Send exactly what is on disk?"):
        raise _refusal("Nothing was sent. Commit the changes, or say --no-patch to leave them out.")


def _refusal(message: str) -> InvalidInputError:
    return InvalidInputError(message, issues=(InputIssue(path="source", message=message),))
