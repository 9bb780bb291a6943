"""People who use the server."""

from __future__ import annotations

from daftray.client._async.connection import decode, segment
from daftray.client._async.place import Place
from daftray.client.answers import UsersAnswer
from daftray.client.asked import given, parameters
from daftray.domain.user import PasswordChange, UserInfo, UserPatch, UserRequest

_PATH = "/v1/users"
_PAGE_SIZE = 200


class AsyncUsers:
    """The server's users. All calls but `change_password` are an operator's."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def create(
        self,
        name: str,
        *,
        password: str | None = None,
        subject: str | None = None,
        operator: bool = False,
    ) -> UserInfo:
        """Make a user, who may do nothing yet unless they are an operator (`client.members`).

        Args:
            name: what they sign in with: a name or an e-mail address.
            password: at least twelve characters; without one they sign in by OpenID alone.
            subject: who they are to the OpenID provider: ``<issuer>|<sub>``.
            operator: whether they run the server, and may do everything in it.

        Raises:
            NameTakenError: the name is another's.
            ForbiddenError: the caller is no operator.
        """
        body = UserRequest(name=name, password=password, subject=subject, operator=operator)
        return decode(await self._place.connection.call("POST", _PATH, body=body), UserInfo)

    async def list(self) -> list[UserInfo]:
        """Return all users, by name."""
        found: list[UserInfo] = []
        cursor: str | None = None
        while True:
            query = parameters(limit=_PAGE_SIZE, cursor=cursor)
            answer = await self._place.connection.get(_PATH, UsersAnswer, parameters=query)
            found += answer.users
            # A cursor that does not move ends it too, or a faulty server would never end it.
            if answer.next_cursor is None or answer.next_cursor == cursor:
                return found
            cursor = answer.next_cursor

    async def update(
        self,
        user: str,
        *,
        name: str | None = None,
        password: str | None = None,
        operator: bool | None = None,
        disabled: bool | None = None,
    ) -> UserInfo:
        """Change a user, named by id or name; what is not given stays.

        Raises:
            UserNotFoundError: there is no such user.
            ConflictError: the caller is the last operator, and would be none any more.
        """
        patch = UserPatch(name=name, password=password, operator=operator, disabled=disabled)
        body = given(
            name=patch.name, password=patch.password, operator=patch.operator, disabled=patch.disabled
        )
        response = await self._place.connection.call("PATCH", f"{_PATH}/{segment(user)}", body=body)
        return decode(response, UserInfo)

    async def delete(self, user: str) -> None:
        """Remove a user, named by id or name, with all roles. Raises `UserNotFoundError`, `ConflictError`."""
        await self._place.connection.call("DELETE", f"{_PATH}/{segment(user)}")

    async def change_password(self, *, old: str, new: str) -> None:
        """Change one's own password. Raises `ForbiddenError` where the old one is wrong."""
        body = PasswordChange(old=old, new=new)
        await self._place.connection.call("POST", f"{_PATH}/me/password", body=body)
