"""What tells who asks and what they may do, wired; the rest of the composition root is ``wiring.py``."""

from __future__ import annotations

from dataclasses import dataclass

from daftray.adapters.db.audit import SqlAuditStore
from daftray.adapters.db.database import Database
from daftray.adapters.db.keys import SqlKeyStore
from daftray.adapters.db.memberships import SqlMembershipStore
from daftray.adapters.db.users import SqlUserStore
from daftray.adapters.db.workspaces import SqlWorkspaceStore
from daftray.adapters.passwords.argon2id import Argon2Passwords
from daftray.domain.ids import Ids
from daftray.domain.ports import Clock, MembershipStore, ProjectStore, UserStore
from daftray.identity.access import Access
from daftray.identity.audit import AuditLog
from daftray.identity.issued_keys import IssuedKeys
from daftray.identity.keys import ApiKeys
from daftray.identity.members import Members
from daftray.identity.names import Names
from daftray.identity.openid_sign_in import OpenIdSignIn
from daftray.identity.run_tokens import RunTokens
from daftray.identity.service import Identity
from daftray.identity.users import Users
from daftray.identity.workspaces import Workspaces
from daftray.server.failpoints import Failpoints
from daftray.server.openid_settings import OpenIdSettings
from daftray.server.openid_wiring import build_openid
from daftray.server.sign_in_wiring import KeysFor, SignInServices, build_sign_in


@dataclass(frozen=True, kw_only=True)
class IdentityServices:
    """The use cases of identity."""

    api_keys: ApiKeys
    users: Users
    identity: Identity
    access: Access
    issued_keys: IssuedKeys
    members: Members
    workspaces: Workspaces
    audit: AuditLog
    names: Names
    sign_in: SignInServices
    openid: OpenIdSignIn | None


def build_identity(
    database: Database,
    points: Failpoints,
    *,
    projects: ProjectStore,
    tokens: RunTokens,
    ids: Ids,
    clock: Clock,
    keys_for: KeysFor,
    openid: OpenIdSettings,
) -> IdentityServices:
    """Wire them. Nothing is opened, started or asked here."""
    user_store, membership_store, users = _people(database, points, ids, clock)
    key_store = points.around("keys", SqlKeyStore(database))
    api_keys = ApiKeys(store=key_store, ids=ids, clock=clock, maker=users.principal)
    workspaces = points.around("workspaces", SqlWorkspaceStore(database))
    access = Access(workspaces=workspaces, projects=projects)
    sign_in = build_sign_in(
        database,
        points,
        users=users,
        keys=key_store,
        api_keys=api_keys,
        workspaces=workspaces,
        keys_for=keys_for,
        ids=ids,
        clock=clock,
    )
    audit_store = points.around("audit", SqlAuditStore(database))
    audit = AuditLog(store=audit_store, users=user_store, ids=ids, clock=clock)
    return IdentityServices(
        api_keys=api_keys,
        users=users,
        identity=Identity(api_keys=api_keys, tokens=tokens, access_tokens=sign_in.access_tokens),
        access=access,
        issued_keys=IssuedKeys(keys=api_keys, store=key_store, access=access, clock=clock),
        members=Members(store=membership_store, users=user_store),
        workspaces=Workspaces(store=workspaces, ids=ids, clock=clock),
        audit=audit,
        names=Names(users=user_store, keys=key_store),
        sign_in=sign_in,
        openid=build_openid(
            openid,
            users=users,
            store=user_store,
            audit=audit,
            sign_in=sign_in,
            keys=keys_for("openid sign-in"),
            ids=ids,
            clock=clock,
        ),
    )


def _people(
    database: Database, points: Failpoints, ids: Ids, clock: Clock
) -> tuple[UserStore, MembershipStore, Users]:
    store = points.around("users", SqlUserStore(database))
    memberships = points.around("memberships", SqlMembershipStore(database))
    passwords = Argon2Passwords()
    users = Users(store=store, memberships=memberships, passwords=passwords, ids=ids, clock=clock)
    return store, memberships, users
