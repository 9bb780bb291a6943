"""The GitHub App, wired where its operator names one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from daftray.adapters.github.rest import AppRest
from daftray.adapters.github.tokens import GithubTokens
from daftray.domain.errors import InvalidInputError
from daftray.domain.ports import Clock, GitMirrors, IntegrationStore
from daftray.projects.github_access import GithubAccess
from daftray.projects.github_hooks import GithubHooks
from daftray.projects.refreshes import Refreshes
from daftray.projects.service import Projects
from daftray.server.github_settings import GithubSettings

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LARGEST_KEY = 64 * 1024


def github_access(
    settings: GithubSettings, integrations: IntegrationStore, clock: Clock
) -> GithubAccess | None:
    """Return what opens private repositories, if anything does. Nothing is asked of GitHub here.

    Raises:
        InvalidInputError: the App's private key cannot be had.
    """
    if settings.github_app_id is None:
        return None
    given = (
        settings.github_private_key.get_secret_value().replace("\\n", "\n")
        if settings.github_private_key
        else ""
    )
    key = _read(settings.github_private_key_file) if settings.github_private_key_file else given
    rest = AppRest(settings.github_api_url, app_id=settings.github_app_id, private_key=key, clock=clock)
    return GithubAccess(tokens=GithubTokens(rest, clock=clock), integrations=integrations)


def github_hooks(
    settings: GithubSettings,
    access: GithubAccess | None,
    *,
    integrations: IntegrationStore,
    projects: Projects,
    mirrors: GitMirrors,
) -> GithubHooks:
    """Return what takes GitHub's deliveries in, which are none without a secret."""
    secret = settings.github_webhook_secret
    return GithubHooks(
        secret=secret.get_secret_value().encode() if secret else None,
        integrations=integrations,
        projects=projects,
        refreshes=Refreshes(projects=projects, mirrors=mirrors),
        access=access,
    )


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            text = file.read(_LARGEST_KEY).decode()
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is no text"
        raise InvalidInputError(f"The GitHub App's private key {path} cannot be read: {why}.") from None
    if facts.st_mode & _OTHERS:
        raise InvalidInputError(f"The GitHub App's private key {path} is open to others: chmod 600 it.")
    return text
