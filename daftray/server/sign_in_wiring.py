"""Sign-in, wired: tokens of programs, sessions of browsers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daftray.adapters.db.database import Database
from daftray.adapters.db.devices import SqlDeviceStore
from daftray.adapters.db.sessions import SqlSessionStore
from daftray.adapters.db.token_families import SqlTokenFamilyStore
from daftray.adapters.signing.jws import JwtClaims
from daftray.adapters.throttle.windows import WindowThrottle
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock, KeyStore, WorkspaceStore
from daftray.domain.ports.throttle import Throttle
from daftray.identity.access_tokens import AccessTokens
from daftray.identity.devices import Devices
from daftray.identity.holders import Holders
from daftray.identity.keys import ApiKeys
from daftray.identity.refresh import TokenFamilies
from daftray.identity.sessions import BrowserSessions
from daftray.identity.sign_in import KeySignIn, PasswordSignIn
from daftray.identity.users import Users
from daftray.server.failpoints import Failpoints

KeysFor = Callable[[str], Sequence[tuple[str, bytes]]]
"""Gives the keys of a purpose, each with its id; the first one signs."""


@dataclass(frozen=True, kw_only=True)
class SignInServices:
    """The use cases of sign-in."""

    access_tokens: AccessTokens
    families: TokenFamilies
    devices: Devices
    sessions: BrowserSessions
    password: PasswordSignIn
    key: KeySignIn
    throttle: Throttle


def build_sign_in(  # noqa: PLR0913 (each is a collaborator)
    database: Database,
    points: Failpoints,
    *,
    users: Users,
    keys: KeyStore,
    api_keys: ApiKeys,
    workspaces: WorkspaceStore,
    keys_for: KeysFor,
    ids: Ids,
    clock: Clock,
) -> SignInServices:
    """Wire them. Nothing is opened, started or asked here."""
    store = points.around("families", SqlTokenFamilyStore(database))
    holders = Holders(people=users, keys=keys, clock=clock)
    access_tokens = AccessTokens(
        claims=JwtClaims(keys_for("access tokens")), families=store, holders=holders, ids=ids, clock=clock
    )
    sessions = BrowserSessions(
        store=points.around("sessions", SqlSessionStore(database)), people=holders, ids=ids, clock=clock
    )
    throttle = WindowThrottle(clock)
    families = TokenFamilies(store=store, access=access_tokens, holders=holders, ids=ids, clock=clock)
    return SignInServices(
        access_tokens=access_tokens,
        families=families,
        devices=Devices(
            store=points.around("devices", SqlDeviceStore(database)),
            families=families,
            workspaces=workspaces,
            ids=ids,
            clock=clock,
        ),
        sessions=sessions,
        password=PasswordSignIn(users=users, sessions=sessions, throttle=throttle),
        key=KeySignIn(keys=api_keys, sessions=sessions, throttle=throttle),
        throttle=throttle,
    )
