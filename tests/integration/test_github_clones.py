"""Private clones by an installation, and GitHub's deliveries: real HTTP, real Git, a real database."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import uuid
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_server import BASE, ApiServer, api_server
from fake_memory import FakeClock
from git_repos import GitRepo, make_repo
from github_server import APP_ID, GithubServer, github_server, private_key

from daftray.domain.audit import AuditQuery
from daftray.domain.errors import SourceDeniedError, SourceNotFoundError, SourceUnavailableError
from daftray.domain.ports import GitRepository
from daftray.domain.principal import Role

HOOK, INTEGRATIONS = "/v1/hooks/github", "/v1/workspaces/default/integrations"
SECRET = "a secret of the tests' own"


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback needs no proxy."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("NO_PROXY", "*")


class _Now(FakeClock):
    """The time of the server, which GitHub shares once there is one."""

    clock: Any = None

    def now(self) -> Any:
        return self.clock.now() if self.clock else super().now()


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return make_repo(tmp_path / "hub" / "acme" / "scoring", {"main.py": "print(1)\n"})


@pytest.fixture
def github(tmp_path: Path, repo: GitRepo) -> Generator[GithubServer]:
    assert repo
    with github_server(tmp_path / "hub", _Now()) as server:
        server.repositories = {"acme/scoring": 7}
        yield server


@pytest.fixture
async def api(tmp_path: Path, github: GithubServer) -> AsyncGenerator[ApiServer]:
    settings: dict[str, Any] = {
        "github_app_id": APP_ID,
        "github_private_key": private_key(),
        "github_webhook_secret": SECRET,
        "github_api_url": github.api_url,
    }
    async with api_server(tmp_path, **settings) as server:
        github.clock.clock = server.services.clock
        yield server
        await server.services.github_hooks.refreshes.close()


async def scoring(api: ApiServer, github: GithubServer, **source: str) -> str:
    """Make a project of the private repository; return its id."""
    body = {"name": "scoring", "source": {"github": {"remote": github.git.url("acme/scoring"), **source}}}
    answer = await api.ask("POST", BASE, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def installed(api: ApiServer, number: int = 7) -> None:
    answer = await api.ask("POST", INTEGRATIONS, json={"github": {"installation_id": number}})
    assert answer.status_code == 201, answer.text


async def repository(api: ApiServer, project: str, remote: str) -> GitRepository:
    return await api.services.projects.repository(project, remote)


async def delivered(api: ApiServer, event: str, payload: object, **headers: str) -> httpx.Response:
    body = json.dumps(payload).encode()
    mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    sent = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={mac}",
        "Content-Type": "application/json",
        **headers,
    }
    return await api.http.post(HOOK, content=body, headers=sent)


def push(github: GithubServer, *, installation: int = 7, name: str = "acme/Scoring") -> dict[str, Any]:
    clone = {"full_name": name, "clone_url": github.git.url(f"{name}.git")}
    return {"ref": "refs/heads/main", "repository": clone, "installation": {"id": installation}}


async def test_an_installation_that_was_recorded_opens_a_private_repository(
    api: ApiServer, github: GithubServer, repo: GitRepo, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    project = await scoring(api, github)
    remote = github.git.url("acme/scoring")
    with pytest.raises(SourceDeniedError):
        await api.services.mirrors.pin(await repository(api, project, remote), ref="main")
    await installed(api)
    place = await repository(api, project, remote)
    assert await api.services.mirrors.pin(place, ref="main") == repo.head
    (token,) = github.issued
    assert token not in caplog.text + repr(place)
    listed = await api.ask("GET", f"{BASE}/scoring/entrypoints")
    assert (listed.status_code, listed.json()["files"]) == (200, ["main.py"])
    assert github.issued == [token]


async def test_a_token_that_git_refuses_is_in_no_error(api: ApiServer, github: GithubServer) -> None:
    await installed(api)
    project, remote = await scoring(api, github), github.git.url("acme/scoring")
    place = await repository(api, project, remote)
    github.git.refusal = lambda said: (403, {}, f"no: {said} {github.issued[0]}".encode())
    with pytest.raises(SourceDeniedError) as caught:
        await api.services.mirrors.pin(place, ref="main")
    assert github.issued[0] not in str(caught.value)


async def test_a_token_is_in_no_process_that_others_can_look_at(api: ApiServer, github: GithubServer) -> None:
    await installed(api)
    project, remote = await scoring(api, github), github.git.url("acme/scoring")
    place, shown = await repository(api, project, remote), list[bool]()

    def look() -> None:
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                shown.append(github.issued[0].encode() in process.read_bytes())

    github.git.on_request = look
    await api.services.mirrors.pin(place, ref="main")
    assert shown
    assert not any(shown)


async def test_it_opens_the_projects_own_remote_alone(api: ApiServer, github: GithubServer) -> None:
    """Else whoever may create a run could name any repository that the installation has."""
    github.repositories["acme/secret"] = 7
    await installed(api)
    project = await scoring(api, github)
    assert (await repository(api, project, github.git.url("acme/scoring.git"))).credential
    assert (await repository(api, project, github.git.url("acme/secret"))).credential is None
    demo = (await api.ask("GET", f"{BASE}/demo")).json()
    assert (await repository(api, demo["id"], api.repo.url)).credential is None


async def test_a_credential_of_the_projects_own_goes_before(api: ApiServer, github: GithubServer) -> None:
    await installed(api)
    project = await scoring(api, github, credential="TOKEN")
    await api.ask("PUT", f"{BASE}/scoring/secrets/TOKEN", json={"value": "a token of its own"})
    place = await repository(api, project, github.git.url("acme/scoring"))
    assert (place.credential, github.issued) == ("a token of its own", [])


async def test_an_installation_of_another_workspace_opens_nothing(
    api: ApiServer, github: GithubServer
) -> None:
    await installed(api, 8)
    project = await scoring(api, github)
    assert (await repository(api, project, github.git.url("acme/scoring"))).credential is None
    assert github.issued == []


async def test_what_was_taken_out_opens_nothing_any_more(api: ApiServer, github: GithubServer) -> None:
    await installed(api)
    project, remote = await scoring(api, github), github.git.url("acme/scoring")
    assert (await repository(api, project, remote)).credential
    await api.ask("DELETE", INTEGRATIONS, json={"github": {"installation_id": 7}})
    assert (await repository(api, project, remote)).credential is None


async def test_only_an_operator_says_whose_installation_is_whose(api: ApiServer) -> None:
    """Its number is no secret, and an admin of another workspace could guess it."""
    keys = api.services.people.api_keys
    admin = await keys.create(name="admin", workspace="default", role=Role.ADMIN)
    body = {"github": {"installation_id": 7}}
    assert (await api.ask("POST", INTEGRATIONS, key=admin, json=body)).status_code == 403
    await installed(api)
    assert (await api.ask("DELETE", INTEGRATIONS, key=admin, json=body)).status_code == 204


async def test_a_push_brings_the_commit_at_once(api: ApiServer, github: GithubServer, repo: GitRepo) -> None:
    await installed(api)
    project, remote = await scoring(api, github), github.git.url("acme/scoring")
    place = await repository(api, project, remote)
    await api.services.mirrors.pin(place, ref="main")
    new = repo.commit({"main.py": "print(2)\n"})
    with github.git.gone(), pytest.raises(SourceUnavailableError):
        await api.services.mirrors.pin(place, commit=new)
    assert (await delivered(api, "push", push(github))).status_code == 202
    await api.services.github_hooks.refreshes.settle()
    with github.git.gone():
        assert await api.services.mirrors.pin(place, commit=new) == new


async def test_a_delivery_that_comes_twice_does_no_harm(api: ApiServer, github: GithubServer) -> None:
    await installed(api)
    await scoring(api, github)
    for _ in range(2):
        assert (await delivered(api, "push", push(github), **{"X-GitHub-Delivery": "1"})).status_code == 202
    await api.services.github_hooks.refreshes.settle()
    gone = {"action": "deleted", "installation": {"id": 7}}
    for _ in range(2):
        assert (await delivered(api, "installation", gone)).status_code == 204


async def test_an_installation_that_is_gone_is_forgotten(api: ApiServer, github: GithubServer) -> None:
    await installed(api)
    await installed(api, 8)
    project, remote = await scoring(api, github), github.git.url("acme/scoring")
    assert (await repository(api, project, remote)).credential
    gone = {"action": "deleted", "installation": {"id": 7}}
    assert (await delivered(api, "installation", {**gone, "action": "suspend"})).status_code == 204
    assert (await repository(api, project, remote)).credential
    assert (await delivered(api, "installation", gone)).status_code == 204
    assert (await repository(api, project, remote)).credential is None
    left = (await api.ask("GET", INTEGRATIONS)).json()["integrations"]
    assert [one["github"]["installation_id"] for one in left] == [8]
    (entry,) = await api.services.people.audit.list(AuditQuery(action="integration.delete"))
    assert (entry.actor, entry.target, entry.workspace) == ("anonymous", "7", "default")
    github.repositories.clear()
    await installed(api)
    assert (await repository(api, project, remote)).credential is None, "of what was kept in memory"


async def test_a_mirror_that_cannot_be_refreshed_is_in_the_log_alone(
    api: ApiServer, github: GithubServer, caplog: pytest.LogCaptureFixture
) -> None:
    await installed(api)
    project, remote = await scoring(api, github), github.git.url("acme/scoring")
    await api.services.mirrors.pin(await repository(api, project, remote), ref="main")
    github.git.refusal = lambda _: (403, {}, b"")
    assert (await delivered(api, "push", push(github))).status_code == 202
    await api.services.github_hooks.refreshes.settle()
    assert "a mirror was not refreshed" in caplog.text
    assert github.issued[0] not in caplog.text


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("ping", {"zen": "x"}),
        ("issues", {"action": "opened"}),
        ("", {}),
        ("installation", {"action": "created"}),
    ],
)
async def test_other_events_are_taken_and_left(api: ApiServer, event: str, payload: dict[str, Any]) -> None:
    if event == "installation":
        payload = {**payload, "installation": {"id": 7}}
    assert (await delivered(api, event, payload)).status_code == 204


@pytest.mark.parametrize(
    "change",
    [{"installation": {"id": 8}}, {"installation": None}, {"repository": {"clone_url": "nowhere"}}],
)
async def test_a_push_to_somewhere_else_refreshes_nothing(
    api: ApiServer, github: GithubServer, change: dict[str, Any]
) -> None:
    await installed(api)
    await scoring(api, github)
    assert (await delivered(api, "push", {**push(github), **change})).status_code == 202
    await api.services.github_hooks.refreshes.settle()
    assert github.git.seen == []


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "ä"])
async def test_a_delivery_that_github_did_not_sign_is_refused(api: ApiServer, signature: str) -> None:
    await installed(api)
    gone = {"action": "deleted", "installation": {"id": 7}}
    headers: dict[str, Any] = {"X-Hub-Signature-256": signature.encode()}
    answer = await delivered(api, "installation", gone, **headers)
    assert (answer.status_code, answer.json()["type"]) == (401, "unauthenticated")
    assert len((await api.ask("GET", INTEGRATIONS)).json()["integrations"]) == 1


@pytest.mark.parametrize("payload", [[], {}, {"repository": {}}, {"installation": {"id": "7"}}])
@pytest.mark.parametrize("event", ["push", "installation"])
async def test_a_signed_body_of_another_form_is_refused(api: ApiServer, event: str, payload: Any) -> None:
    answer = await delivered(api, event, payload)
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid-input")


async def test_a_delivery_is_bounded(api: ApiServer) -> None:
    answer = await api.http.post(HOOK, content=b" " * (11 << 20), headers={"X-GitHub-Event": "push"})
    assert answer.status_code == 413


async def test_without_a_secret_there_is_no_such_place(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    async with api_server(tmp_path / "plain") as server:
        answer = await delivered(server, "ping", {})
        assert (answer.status_code, answer.json()["type"]) == (404, "not-found")


async def test_without_an_app_a_private_repository_stays_closed(tmp_path: Path, github: GithubServer) -> None:
    (tmp_path / "plain").mkdir()
    async with api_server(tmp_path / "plain") as server:
        await installed(server)
        project = await scoring(server, github)
        place = await repository(server, project, github.git.url("acme/scoring"))
        with pytest.raises((SourceDeniedError, SourceNotFoundError)):
            await server.services.mirrors.pin(place, ref="main")
