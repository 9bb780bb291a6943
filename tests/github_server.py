"""A small GitHub on loopback, laid out as an Enterprise server: its API below ``/api/v3``, Git beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from git_http import GitServer, git_server
from openid_server import rsa_key

APP_ID = "4711"
API = "/api/v3"
Reply = tuple[int, dict[str, str], bytes]
_REPO = re.compile(rf"{API}/repos/([^/]+/[^/]+)/installation")
_TOKENS = re.compile(rf"{API}/app/installations/(\d+)/access_tokens")


def private_key(name: str = "app") -> str:
    """Return a private key as GitHub gives it."""
    return (
        rsa_key(name).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    )


@dataclass
class GithubServer:
    """``repositories`` says which installation has which; ``failure`` is what the API answers instead."""

    git: GitServer
    clock: Any  # whatever tells the time
    repositories: dict[str, int] = field(default_factory=dict[str, int])
    failure: Reply | None = None
    asked: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    issued: list[str] = field(default_factory=list[str])
    readable: bool = True

    @property
    def api_url(self) -> str:
        return self.git.url(API.strip("/"))

    def answer(self, method: str, path: str, authorization: str, body: bytes) -> Reply | None:
        if not path.startswith(API):
            return None
        self.asked.append((f"{method} {path.removeprefix(API)}", json.loads(body or b"null")))
        if self.failure is not None:
            return self.failure
        if not self._is_the_app(authorization):
            return as_json(401, {"message": "A JSON web token could not be decoded"})
        if found := _REPO.fullmatch(path):
            installation = self.repositories.get(found[1])
            return as_json(404, {}) if installation is None else as_json(200, {"id": installation, "x": 1})
        if found := _TOKENS.fullmatch(path):
            return self._token(int(found[1]))
        return as_json(404, {"message": "Not Found"})

    def _token(self, installation: int) -> Reply:
        if installation not in self.repositories.values():
            return as_json(404, {"message": "Not Found"})
        if not self.readable:
            return as_json(422, {"message": "The permissions requested are not granted"})
        token = f"ghs_canary{len(self.issued)}Zq8vT2x"
        self.issued.append(token)
        self.git.token = token
        ends = self.clock.now() + timedelta(hours=1)
        return as_json(201, {"token": token, "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def _is_the_app(self, authorization: str) -> bool:
        try:
            claims = jwt.decode(
                authorization.removeprefix("Bearer "),
                rsa_key("app").public_key(),
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            return False
        now = self.clock.now().timestamp()
        return claims["iss"] == APP_ID and claims["iat"] < now < claims["exp"] and claims["exp"] - now <= 600


def as_json(status: int, value: object) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


@contextmanager
def github_server(root: Path, clock: Any) -> Generator[GithubServer]:
    """Serve the repositories below a folder, which a token opens, and the API, until the test is over."""
    with git_server(root) as git:
        server = GithubServer(git, clock)
        git.token = "nobody knows this one"
        git.beside = server.answer
        yield server
