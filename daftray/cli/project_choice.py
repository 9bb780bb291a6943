"""Which project a run belongs to: the one that is named, or the one of this repository's remote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from daftray.cli import screen
from daftray.cli.remotes import is_of_checkout, repository_name, same_repository, without_credentials
from daftray.client.errors import NotConfiguredError
from daftray.domain.project import Project

if TYPE_CHECKING:
    from daftray.adapters.gitrepo.checkout import Checkout
    from daftray.client import Client

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 100


def project_of_run(
    client: Client, named: str | None, checkout: Checkout | None, remote: str | None
) -> Project:
    """Return the project for a new run, offering to make one where somebody is there to answer.

    Raises:
        ProjectNotFoundError: there is none of that name.
        NotConfiguredError: it is not known which, or there is none of this repository yet.
    """
    if named := named or client.project:
        return client.projects.get(named)
    known = client.projects.list()
    if remote:
        found = [one for one in known if same_repository(one.source.remote.remote, remote)]
    else:
        found = [one for one in known if checkout and is_of_checkout(one, checkout)]
    if len(found) > 1:
        names = ", ".join(project.name for project in found)
        raise NotConfiguredError(f"Several projects are of this repository: say --project ({names}).")
    if found:
        return found[0]
    meant = remote or (checkout.remote if checkout else None)
    if meant is None:
        where = "This repository has no remote" if checkout else "This is no Git repository"
        raise NotConfiguredError(f"{where}, so name the project with --project or DAFTRAY_PROJECT.")
    return _offer(client, without_credentials(meant), checkout)


def project_to_look_at(client: Client, checkout: Checkout | None) -> str:
    """Return the name of the project that commands on existing runs and secrets mean.

    Raises:
        NotConfiguredError: it is not known which.
    """
    known = client.projects.list()
    here = [one for one in known if checkout and is_of_checkout(one, checkout)]
    candidates = here or known
    if len(candidates) == 1:
        return candidates[0].name
    if not candidates:
        raise NotConfiguredError("There is no project yet: make one with `daftray projects create NAME`.")
    names = ", ".join(one.name for one in candidates[:10])
    raise NotConfiguredError(f"Which project? Name it with --project or DAFTRAY_PROJECT: {names}.")


def name_for(remote: str) -> str:
    """Return a project's name made of a remote's: the repository's, in the characters that names may have."""
    return _NOT_IN_A_NAME.sub("-", repository_name(remote)).strip("-._")[:_LONGEST_NAME] or "project"


def _offer(client: Client, remote: str, checkout: Checkout | None) -> Project:
    name = name_for(remote)
    branch = (checkout.branch if checkout else None) or "main"
    question = f"No project has the remote {remote}."
    if screen.interactive() and screen.ask(f"{question} Make project {name!r} of it (branch {branch})?"):
        return client.projects.create(name, remote, branch=branch)
    raise NotConfiguredError(
        f"{question} Make one with `daftray projects create {name} {remote}`, or name one with --project."
    )
