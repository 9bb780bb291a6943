"""Who a person of an OpenID provider is here.

Somebody is found by issuer and subject, which the provider never gives to anybody else. Names serve once: at
the first sign-in they find whom an admin added, and from then on that user is bound to the subject, whatever
the name at the provider becomes, and whoever gets it next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from daftray.domain.errors import ForbiddenError, InvalidInputError, NameTakenError, UnauthenticatedError
from daftray.domain.openid import OpenIdClaims, OpenIdPolicy
from daftray.domain.ports import UserStore
from daftray.domain.user import User, UserName, UserRequest
from daftray.identity.audit import AuditLog, Change
from daftray.identity.users import Users

_UNKNOWN = "Nobody of that name may sign in here yet: ask an admin to add you."
_GONE = "The user is not there any more, or is disabled."
_UNVERIFIED = "The OpenID provider does not say that your e-mail address is verified."


class OpenIdPeople:
    """Finds who signs in, or makes them where the operator allows that."""

    def __init__(self, *, store: UserStore, users: Users, audit: AuditLog, policy: OpenIdPolicy) -> None:
        self._store = store
        self._users = users
        self._audit = audit
        self._policy = policy

    async def find(self, known: OpenIdClaims, *, remote: str | None) -> User:
        """Return who that is.

        Raises:
            ForbiddenError: nobody whom an admin let in, or somebody whose name is another's here.
            UnauthenticatedError: somebody who is disabled.
        """
        self._check_domain(known.claims)
        user = await self._store.by_subject(known.person) or await self._first_time(known, remote)
        if user.disabled_at is not None:
            raise UnauthenticatedError(_GONE)
        return user

    async def _first_time(self, known: OpenIdClaims, remote: str | None) -> User:
        name = self._name_in(known.claims)
        user = await self._users.named(name)
        if user is None and not self._policy.create_users:
            raise ForbiddenError(_UNKNOWN)
        if user is not None and user.disabled_at is not None:
            raise UnauthenticatedError(_GONE)
        try:
            if user is None:
                user = await self._users.create(UserRequest(name=name, subject=known.person))
                action = "user.create"
            elif await self._store.bind_subject(user.id, known.person):
                action = "user.bind"
            else:
                raise ForbiddenError("Another person of the OpenID provider has that name here.")
        except NameTakenError as exc:  # two sign-ins at once: the other one has made it
            same = await self._store.by_subject(known.person)
            if same is None:
                raise ForbiddenError(_UNKNOWN) from exc
            return same
        except InvalidInputError as exc:
            raise ForbiddenError("Nobody can have the name that the OpenID provider gives you.") from exc
        who = await self._users.principal(user.id)
        await self._audit.record(Change(action=action, actor=who, target=user.id, remote=remote))
        return user

    def _name_in(self, claims: Mapping[str, Any]) -> str:  # any JSON
        claim = self._policy.name_claim
        if claim == "email":
            return _typed(_email_in(claims))
        return _typed(claims.get(claim))

    def _check_domain(self, claims: Mapping[str, Any]) -> None:  # any JSON
        if not self._policy.domains:
            return
        domain = _email_in(claims).rpartition("@")[2].lower()
        if domain not in self._policy.domains:
            raise ForbiddenError("People with an e-mail address of that domain do not sign in here.")


def _email_in(claims: Mapping[str, Any]) -> str:  # any JSON
    """Return a verified e-mail address. Some providers say ``true`` as a text."""
    email, verified = claims.get("email"), claims.get("email_verified")
    if not isinstance(email, str) or not (verified is True or verified == "true"):
        raise ForbiddenError(_UNVERIFIED)
    return email


def _typed(name: object) -> str:
    try:
        return msgspec.convert(name, UserName).lower()
    except msgspec.ValidationError as exc:
        raise ForbiddenError("The OpenID provider gives no name for you that one can have here.") from exc
