"""A browser without scripts, as far as tests need one: it goes where it is told, and sends forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

import httpx
from api_server import ApiServer

from daftray.domain.principal import Role
from daftray.domain.user import Membership, User, UserRequest

PASSWORD = "correct horse battery"
PAGE = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


async def with_person(
    api: ApiServer, name: str, role: Role | None = None, *, project: str | None = None
) -> User:
    """Make somebody with a password and a role in the default workspace, or in a project of it by id."""
    users = api.services.people.users
    user = await users.create(UserRequest(name=name, password=PASSWORD))
    if role is not None:
        membership = Membership(user_id=user.id, workspace="default", project=project, role=role)
        await users._memberships.put(membership)
    return user


@dataclass
class Browser:
    """Somebody at the pages of a server."""

    http: httpx.AsyncClient
    origin: str

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path, headers=PAGE)

    async def send(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """Send a form as a browser does from a page of ours."""
        ours = {"origin": self.origin, "sec-fetch-site": "same-origin"}
        return await self.http.post(path, data=fields, headers={**PAGE, **ours, **headers})

    async def submit(self, page: str, action: str, fields: dict[str, str] | None = None) -> httpx.Response:
        """Fill in the form of a page that goes to an address, and send it with what it hides."""
        text = (await self.get(page)).text
        found = re.search(
            rf'<form[^>]*method="post" action="{re.escape(action)}"[^>]*>(.*?)</form>', text, re.DOTALL
        )
        assert found, f"{page} has no form to {action}"
        hidden = {name: unescape(value) for name, value in _HIDDEN.findall(found[1])}
        return await self.send(action, {**hidden, **(fields or {})})

    async def sign_in(self, name: str, password: str = PASSWORD, *, target: str = "/") -> httpx.Response:
        fields = {"name": name, "password": password, "next": target}
        return await self.send("/sign-in", fields)


def browser(api: ApiServer) -> Browser:
    return Browser(api.http, str(api.http.base_url).rstrip("/"))
