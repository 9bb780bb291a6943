"""What a workspace is connected to: so far, installations of a GitHub App."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec


class GithubInstallation(msgspec.Struct, frozen=True, kw_only=True):
    """An installation of the operator's GitHub App, by the number that GitHub gave it."""

    installation_id: Annotated[int, msgspec.Meta(ge=1, le=2**53)]


class IntegrationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of the calls that record an integration or take it out, tagged by what it is."""

    github: GithubInstallation


class Integration(msgspec.Struct, frozen=True, kw_only=True):
    """An integration as it is kept, and as the API answers it."""

    id: str
    workspace: str
    github: GithubInstallation
    created_by: str
    created_at: datetime
