"""Sign-in by an OpenID provider, wired where its operator names one."""

from __future__ import annotations

from collections.abc import Sequence

from daftray.adapters.openid.provider import HttpOpenIdProvider, OpenIdClient
from daftray.adapters.signing.jws import JwtClaims
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock, UserStore
from daftray.identity.audit import AuditLog
from daftray.identity.openid_people import OpenIdPeople
from daftray.identity.openid_sign_in import OpenIdSignIn
from daftray.identity.users import Users
from daftray.server.openid_settings import OpenIdSettings
from daftray.server.sign_in_wiring import SignInServices


def build_openid(
    settings: OpenIdSettings,
    *,
    users: Users,
    store: UserStore,
    audit: AuditLog,
    sign_in: SignInServices,
    keys: Sequence[tuple[str, bytes]],
    ids: Ids,
    clock: Clock,
) -> OpenIdSignIn | None:
    """Wire it. Nothing is asked of the provider here."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    secret = settings.oidc_client_secret
    client = OpenIdClient(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        claims=settings.openid_policy.claims,
    )
    return OpenIdSignIn(
        provider=HttpOpenIdProvider(client, clock=clock),
        people=OpenIdPeople(store=store, users=users, audit=audit, policy=settings.openid_policy),
        sessions=sign_in.sessions,
        claims=JwtClaims(keys),
        throttle=sign_in.throttle,
        ids=ids,
        clock=clock,
    )
