"""Sign-in over stores in memory, at a time that a test moves."""

from __future__ import annotations

from fake_sessions import InMemoryDeviceStore, InMemorySessionStore, InMemoryTokenFamilyStore
from fakes import FakeClock, FakePasswords, InMemoryStores
from msgspec.structs import replace

from daftray.adapters.signing.jws import JwtClaims
from daftray.domain.ids import Ids
from daftray.domain.principal import Role
from daftray.domain.user import Membership, User, UserRequest
from daftray.domain.workspace import Workspace
from daftray.identity.access_tokens import AccessTokens
from daftray.identity.devices import Devices
from daftray.identity.holders import Holders
from daftray.identity.keys import ApiKeys
from daftray.identity.refresh import TokenFamilies
from daftray.identity.sessions import BrowserSessions
from daftray.identity.users import Users

KEYS = [("new", b"n" * 48), ("old", b"o" * 48)]
PASSWORD = "correct horse battery"


class SignIn:
    """The use cases, and what is behind them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.stores = InMemoryStores(self.clock)
        self.ids = Ids()
        self.users = Users(
            store=self.stores.users,
            memberships=self.stores.memberships,
            passwords=FakePasswords(),
            ids=self.ids,
            clock=self.clock,
        )
        self.api_keys = ApiKeys(store=self.stores.keys, ids=self.ids, clock=self.clock)
        holders = Holders(people=self.users, keys=self.stores.keys, clock=self.clock)
        self.family_store, self.device_store = InMemoryTokenFamilyStore(), InMemoryDeviceStore()
        self.claims = JwtClaims(KEYS)
        self.access = AccessTokens(
            claims=self.claims,
            families=self.family_store,
            holders=holders,
            ids=self.ids,
            clock=self.clock,
        )
        self.families = TokenFamilies(
            store=self.family_store, access=self.access, holders=holders, ids=self.ids, clock=self.clock
        )
        self.devices = Devices(
            store=self.device_store,
            families=self.families,
            workspaces=self.stores.workspaces,
            ids=self.ids,
            clock=self.clock,
        )
        self.session_store = InMemorySessionStore()
        self.sessions = BrowserSessions(
            store=self.session_store, people=holders, ids=self.ids, clock=self.clock
        )

    async def workspace(self, name: str) -> Workspace:
        workspace = Workspace(id=f"wsp_{name}", name=name, created_at=self.clock.now())
        await self.stores.workspaces.add(workspace)
        return workspace

    async def ada(self, *roles: tuple[str, Role], operator: bool = False) -> User:
        """Make a person with roles in workspaces, by id."""
        user = await self.users.create(UserRequest(name="ada", password=PASSWORD, operator=operator))
        for workspace, role in roles:
            await self.stores.memberships.put(Membership(user_id=user.id, workspace=workspace, role=role))
        return user

    async def disable(self, user: User) -> None:
        await self.stores.users.save(replace(user, disabled_at=self.clock.now()))
