"""Where GitHub delivers events of the operator's App: ``/v1/hooks/github``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from litestar import Response, Router, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, SkipValidation

from daftray.api.audit import remote_of
from daftray.api.auth import ANONYMOUS, AnyRequest
from daftray.api.documented import PROBLEMS
from daftray.identity.audit import AuditLog, Change
from daftray.projects.github_hooks import Delivery, GithubHooks

EventHeader = Annotated[str, HeaderParameter(name="X-GitHub-Event", max_length=100)]
SignatureHeader = Annotated[str, HeaderParameter(name="X-Hub-Signature-256", max_length=200)]


@post(
    "/v1/hooks/github",
    opt={ANONYMOUS: True, PROBLEMS: (401, 404)},
    responses={202: ResponseSpec(None, description="Mirrors are refreshed soon.")},
    status_code=204,
    summary="An event of the GitHub App",
)
async def github_event(
    request: AnyRequest,
    github_hooks: NamedDependency[SkipValidation[GithubHooks]],
    audit_log: NamedDependency[SkipValidation[AuditLog]],
    event: EventHeader = "",
    signature: SignatureHeader = "",
) -> Response[None]:
    """Take an event in. 202 says that mirrors are refreshed soon, 204 that nothing more will come of it."""
    body = await request.body()
    heard = await github_hooks.receive(Delivery(event=event, signature=signature, body=body))
    for workspace in heard.removed_from:
        target, remote = str(heard.installation), remote_of(request.scope)
        change = Change(
            action="integration.delete", actor=None, target=target, workspace=workspace, remote=remote
        )
        await audit_log.record(change)
    done = heard.refreshing is None
    return Response(None, status_code=HTTPStatus.NO_CONTENT if done else HTTPStatus.ACCEPTED)


router = Router("/", route_handlers=[github_event], tags=["integrations"])
