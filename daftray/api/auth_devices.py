"""Sign-in of programs by a person elsewhere (RFC 8628): ``/v1/auth/device``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, Router, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from daftray.api.audit import AUDIT, note
from daftray.api.auth import ANONYMOUS, AnyRequest, person, somebody
from daftray.api.authentication import Authenticator, credentials_of
from daftray.api.documented import FORMS, PROBLEMS
from daftray.api.strict import refuse_unknown
from daftray.api.throttled import address_of, counting_misses
from daftray.domain.device import PollOutcome
from daftray.domain.errors import ForbiddenError
from daftray.domain.ports.throttle import Throttle
from daftray.domain.principal import Principal
from daftray.domain.session import Tokens
from daftray.domain.throttle import DEVICE_POLL, DEVICE_START, FAILED_CODE
from daftray.identity.access import Access
from daftray.identity.devices import Devices
from daftray.identity.service import CredentialKind

UserCode = Annotated[str, msgspec.Meta(max_length=40)]
_WORDS = {
    PollOutcome.PENDING: "Nobody has approved yet.",
    PollOutcome.SLOW_DOWN: "Asked too soon: wait five seconds longer between requests.",
    PollOutcome.DENIED: "The request was denied.",
    PollOutcome.EXPIRED: "The code has expired: start again.",
    PollOutcome.USED: "The code is unknown, or was used: start again.",
}


class DeviceAuthorization(msgspec.Struct, frozen=True, kw_only=True):
    """The codes of a program that wants to sign in; times in seconds."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class DeviceTokenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a poll."""

    device_code: Annotated[str, msgspec.Meta(max_length=200)]

    def __repr__(self) -> str:
        """Leave the code out: a repr ends up in logs."""
        return "DeviceTokenRequest()"


class PollRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why there are no tokens (yet), as RFC 6749 has it in section 5.2."""

    error: str
    error_description: str


class DeviceDecision(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an approval. Without a workspace, by name or id, the caller's first is meant."""

    user_code: UserCode
    approve: bool
    workspace: str | None = None


class DeviceDecided(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided, and which workspace the program may now enter."""

    approved: bool
    workspace_id: str | None


@post(
    "/authorize",
    opt={ANONYMOUS: True, PROBLEMS: (429,)},
    status_code=200,
    summary="Ask for a code to sign in with",
)
async def authorize(
    request: AnyRequest,
    authenticator: NamedDependency[SkipValidation[Authenticator]],
    device_flow: NamedDependency[SkipValidation[Devices]],
    throttle: NamedDependency[SkipValidation[Throttle]],
) -> DeviceAuthorization:
    """Return a code for a person to type, and one for the program to ask with. There is no body."""
    throttle.hit(DEVICE_START, address_of(request))
    asked = await device_flow.authorize()
    page = f"{authenticator.url_of(request)}/device"
    return DeviceAuthorization(
        device_code=asked.device_code,
        user_code=asked.user_code,
        verification_uri=page,
        verification_uri_complete=f"{page}?user_code={asked.user_code}",
        expires_in=asked.expires_in,
        interval=asked.interval,
    )


@post(
    "/token",
    opt={ANONYMOUS: True, PROBLEMS: (429,), FORMS: {400: "application/json"}},
    status_code=200,
    summary="Ask whether a person has approved",
)
async def token(
    request: AnyRequest,
    data: JSONBody[DeviceTokenRequest],
    device_flow: NamedDependency[SkipValidation[Devices]],
    throttle: NamedDependency[SkipValidation[Throttle]],
) -> Response[Tokens | PollRefusal]:
    """Return the tokens, once, or 400 with what RFC 8628 calls the reason."""
    throttle.hit(DEVICE_POLL, address_of(request))
    told = await device_flow.poll(data.device_code)
    if isinstance(told, Tokens):
        return Response(told)
    refusal = PollRefusal(error=told.value, error_description=_WORDS[told])
    return Response(refusal, status_code=HTTPStatus.BAD_REQUEST)


@post(
    "/approve",
    guards=[somebody],
    opt={AUDIT: "device.decide", PROBLEMS: (404, 429)},
    status_code=200,
    summary="Let a program sign in, or refuse it",
)
async def approve(
    request: AnyRequest,
    data: JSONBody[DeviceDecision],
    device_flow: NamedDependency[SkipValidation[Devices]],
    throttle: NamedDependency[SkipValidation[Throttle]],
) -> DeviceDecided:
    """Decide about the program that shows this code. It will act as the caller, in one workspace."""
    refuse_unknown(await request.body(), data)
    caller = person(request)
    if credentials_of(request).kind is CredentialKind.ACCESS_TOKEN:
        # One sign-in must not beget others, which would outlive it.
        raise ForbiddenError("Approve in a browser in which you signed in, or with an API key.")
    with counting_misses(throttle, FAILED_CODE, caller.id, address_of(request)):
        return await decide(request, device_flow, caller, data)


async def decide(
    request: AnyRequest, device_flow: Devices, caller: Principal, data: DeviceDecision
) -> DeviceDecided:
    """Decide, and note it for the audit log."""
    workspace = None
    if data.workspace is not None:
        access: Access = request.app.state["access"]
        workspace = (await access.enter(caller, data.workspace)).workspace.id
    place = await device_flow.decide(data.user_code, caller, approve=data.approve, workspace=workspace)
    workspace_id = place.id if place else None
    note(request, target="approved" if data.approve else "denied", workspace=workspace_id, actor=caller)
    return DeviceDecided(approved=data.approve, workspace_id=workspace_id)


router = Router("/v1/auth/device", route_handlers=[authorize, token, approve], tags=["sign-in"])
