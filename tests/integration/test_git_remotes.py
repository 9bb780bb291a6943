"""Private, hostile and absent remotes over real HTTP, and what ssh would be told."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
import stat
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from git_http import GitServer, git_server
from git_repos import GitRepo, make_repo

from daftray.adapters.gitrepo.commands import GitCommands
from daftray.adapters.gitrepo.mirrors import BareMirrors
from daftray.adapters.gitrepo.remote_refs import RemoteAccess
from daftray.adapters.gitrepo.transport import parse
from daftray.domain.errors import (
    SourceDeniedError,
    SourceError,
    SourceNotFoundError,
    SourceRefusedError,
    SourceUnavailableError,
)
from daftray.domain.ports import GitRepository

TOKEN = "canary-Zq8vT2+/=x"
FORMS = (TOKEN, base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode())
KEY = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\r\nY2FuYXJ5LWtleS1tYXRlcmlhbA==\r\n-----END OPENSSH PRIVATE KEY-----"
)


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback needs no proxy."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return make_repo(tmp_path / "host" / "repo", {"main.py": "print(1)\n"})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with git_server(tmp_path / "host") as running:
        yield running


@pytest.fixture
def mirrors(tmp_path: Path) -> BareMirrors:
    return BareMirrors(tmp_path / "data", allow_local=True, timeout_s=30)


def place(server: GitServer, credential: str | None = None, *, name: str = "repo/.git") -> GitRepository:
    return GitRepository(project="prj_1", remote=server.url(name), credential=credential)


def seen_in_processes(*forms: str) -> list[str]:
    """Return the processes whose arguments or variables hold one of the texts right now."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        for part in ("cmdline", "environ"):
            try:
                text = (process / part).read_bytes().decode(errors="replace")
            except OSError:
                continue
            found += [f"{process.name}/{part}" for form in forms if form in text]
    return found


async def gone(form: str) -> None:
    """Wait until no process holds the text: one that was killed takes a moment to end."""
    for _ in range(500):
        if not seen_in_processes(form):
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"still there: {seen_in_processes(form)}")


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


async def test_a_private_remote_opens_by_its_token_which_is_nowhere_to_be_seen(
    repo: GitRepo, server: GitServer, mirrors: BareMirrors, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    server.token = TOKEN
    visible: list[str] = []
    arguments: list[str] = []

    def look() -> None:
        visible.extend(seen_in_processes(*FORMS))
        arguments.extend(seen_in_processes("git-remote-http", "ls-remote"))

    server.on_request = look
    commit = await mirrors.pin(place(server, TOKEN))
    assert commit == repo.head
    assert [file.path for file in await mirrors.archive(place(server, TOKEN), commit)] == ["main.py"]
    assert arguments, "no Git process was seen: the look shows nothing"
    assert visible == []
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not [path for path in kept if any(form.encode() in path.read_bytes() for form in FORMS)]
    assert not any(form in caplog.text for form in FORMS)


@pytest.mark.parametrize("credential", [None, f"wrong-{TOKEN}"])
@pytest.mark.usefixtures("repo")
async def test_a_private_remote_refuses_others_without_telling_what_they_sent(
    server: GitServer, mirrors: BareMirrors, credential: str | None
):
    server.token = "another"
    with pytest.raises(SourceDeniedError, match=r"secret|credential") as caught:
        await mirrors.pin(place(server, credential))
    assert TOKEN not in told(caught.value)


@pytest.mark.usefixtures("repo")
async def test_the_users_name_in_the_url_goes_with_the_token(server: GitServer, mirrors: BareMirrors):
    server.token = TOKEN
    remote = server.url("repo/.git").replace("http://", "http://deploy@")
    await mirrors.pin(GitRepository(project="p", remote=remote, credential=TOKEN))
    sent = base64.b64decode((server.seen[-1] or "").removeprefix("Basic ")).decode()
    assert sent == f"deploy:{TOKEN}"


@pytest.mark.usefixtures("repo")
async def test_a_remote_that_repeats_the_token_is_not_repeated(server: GitServer, mirrors: BareMirrors):
    def echo(authorization: str) -> tuple[int, dict[str, str], bytes]:
        if not authorization:
            return 401, {"WWW-Authenticate": 'Basic realm="git"'}, b""
        plain = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        service, line = "# service=git-upload-pack\n", f"ERR you sent {authorization} {plain}"
        body = f"{len(service) + 4:04x}{service}0000{len(line) + 4:04x}{line}"
        return 200, {"Content-Type": "application/x-git-upload-pack-advertisement"}, body.encode()

    server.refusal = echo
    with pytest.raises(SourceError, match=r"you sent Basic \*\*\* x-access-token:\*\*\*") as caught:
        await mirrors.pin(place(server, TOKEN))
    assert not [form for form in FORMS if form in told(caught.value)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.usefixtures("repo")
async def test_a_redirect_is_refused_and_its_target_never_asked(
    server: GitServer, mirrors: BareMirrors, tmp_path: Path, status: int
):
    with git_server(tmp_path / "host") as target:
        address = target.url("repo/.git/info/refs?service=git-upload-pack")
        server.refusal = lambda _: (status, {"Location": address}, b"")
        with pytest.raises(SourceRefusedError, match="redirects are never followed"):
            await mirrors.pin(place(server, TOKEN))
        assert target.seen == []


async def test_a_submodule_elsewhere_is_not_shown_the_token(
    repo: GitRepo, server: GitServer, mirrors: BareMirrors, tmp_path: Path
):
    server.token = TOKEN
    inner = make_repo(tmp_path / "host" / "inner", {"inner.py": ""})
    with git_server(tmp_path / "host") as other:
        repo.write({".gitmodules": f'[submodule "i"]\n\tpath = i\n\turl = {other.url("inner/.git")}\n'})
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{inner.head},i")
        repo.git("add", ".gitmodules")
        repo.git("commit", "--quiet", "-m", "submodule")
        other.token = TOKEN  # it asks for one, and would be given what Git has
        with pytest.raises(SourceDeniedError, match="it is private"):
            await mirrors.archive(place(server, TOKEN), repo.head)
        assert other.seen
        assert set(other.seen) == {None}


async def test_a_submodule_of_the_same_host_is_opened_by_the_token(
    repo: GitRepo, server: GitServer, mirrors: BareMirrors, tmp_path: Path
):
    server.token = TOKEN
    inner = make_repo(tmp_path / "host" / "inner", {"inner.py": ""})
    repo.write({".gitmodules": '[submodule "i"]\n\tpath = i\n\turl = ../../inner/.git\n'})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{inner.head},i")
    repo.git("add", ".gitmodules")
    repo.git("commit", "--quiet", "-m", "submodule")
    files = await mirrors.archive(place(server, TOKEN), repo.head)
    assert "i/inner.py" in [file.path for file in files]


async def test_an_absent_repository_is_not_found(server: GitServer, mirrors: BareMirrors):
    with pytest.raises(SourceNotFoundError, match="no such repository"):
        await mirrors.pin(place(server, name="absent.git"))


async def test_what_is_no_git_server_is_not_found(server: GitServer, mirrors: BareMirrors):
    server.refusal = lambda _: (200, {"Content-Type": "text/html"}, b"<h1>Welcome</h1>")
    with pytest.raises(SourceNotFoundError, match="check its URL"):
        await mirrors.pin(place(server))


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_remote_in_trouble_can_be_tried_again(server: GitServer, mirrors: BareMirrors, status: int):
    server.refusal = lambda _: (status, {}, b"")
    with pytest.raises(SourceUnavailableError) as caught:
        await mirrors.pin(place(server))
    assert caught.value.retryable


async def test_a_remote_that_is_not_there_can_be_tried_again(mirrors: BareMirrors):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        remote = f"http://127.0.0.1:{taken.getsockname()[1]}/repo.git"
        with pytest.raises(SourceUnavailableError, match="does not answer"):
            await mirrors.pin(GitRepository(project="p", remote=remote))


async def test_a_remote_that_never_answers_is_given_up(server: GitServer, tmp_path: Path):
    forever = threading.Event()
    server.on_request = lambda: forever.wait(20)
    impatient = BareMirrors(tmp_path / "data", allow_local=True, timeout_s=0.3)
    try:
        with pytest.raises(SourceUnavailableError, match=r"longer than 0\.3 seconds"):
            await impatient.pin(place(server))
        await gone(f"127.0.0.1:{server.port}")
    finally:
        forever.set()


def test_git_uses_the_addresses_that_were_checked(repo: GitRepo, server: GitServer, tmp_path: Path):
    git = GitCommands(tmp_path / "data", timeout_s=30)
    git.prepare()
    remote = parse(f"http://git.example.invalid:{server.port}/repo/.git", allow_local=True)
    access = RemoteAccess(
        git=git, remote=remote, environment={"GIT_ALLOW_PROTOCOL": "http"}, addresses=("127.0.0.1",)
    )
    assert access.find("main").object_id == repo.head


# --- ssh: a stand-in for the program, which notes what it is told and then runs the other end here

FAKE_SSH = """\
#!/bin/sh
log={log}
echo "$@" >> "$log/args"
cat "$2" > "$log/config"
key=$(sed -n 's/^IdentityFile "\\(.*\\)"/\\1/p' "$2")
if [ -n "$key" ]; then cat "$key" > "$log/key"; stat -c %a "$key" > "$log/mode"; fi
for last; do :; done
unset GIT_CONFIG_GLOBAL
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
exec sh -c "$last"
"""


@pytest.fixture
def ssh_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    programs, log = tmp_path / "bin", tmp_path / "ssh"
    programs.mkdir()
    log.mkdir()
    (programs / "ssh").write_text(FAKE_SSH.format(log=log))
    (programs / "ssh").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    return log


async def test_a_deploy_key_reaches_ssh_as_a_private_file(
    repo: GitRepo, mirrors: BareMirrors, ssh_log: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    remote = f"ssh://git@git.example.com:2222{repo.url}"
    assert await mirrors.pin(GitRepository(project="p", remote=remote, credential=KEY)) == repo.head
    assert (ssh_log / "mode").read_text() == "600\n"
    assert (ssh_log / "key").read_text() == KEY.replace("\r\n", "\n") + "\n"
    config = (ssh_log / "config").read_text()
    for line in (
        "BatchMode yes",
        "IdentitiesOnly yes",
        "IdentityAgent none",
        "StrictHostKeyChecking accept-new",
    ):
        assert line in config
    assert f'UserKnownHostsFile "{tmp_path / "data" / "known_hosts"}"' in config
    arguments = (ssh_log / "args").read_text()
    assert "-p 2222 git@git.example.com" in arguments
    for text in (arguments, config, caplog.text):
        assert "Y2FuYXJ5" not in text
    assert list((tmp_path / "data" / "credentials").iterdir()) == []


async def test_without_a_key_ssh_uses_none_of_the_servers_own(
    repo: GitRepo, mirrors: BareMirrors, ssh_log: Path
):
    await mirrors.pin(GitRepository(project="p", remote=f"git@git.example.com:{repo.url}"))
    assert "IdentityFile none" in (ssh_log / "config").read_text()


async def test_ssh_uses_the_addresses_that_were_checked(
    repo: GitRepo, ssh_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: answers)
    strict = BareMirrors(tmp_path / "data", allow_local=False)
    await strict.pin(GitRepository(project="p", remote=f"ssh://git@git.example.com:2222{repo.url}"))
    config = (ssh_log / "config").read_text()
    assert "HostName 192.0.2.7" in config
    assert "HostKeyAlias [git.example.com]:2222" in config


@pytest.mark.usefixtures("ssh_log")
async def test_a_repository_from_elsewhere_cannot_name_paths_of_this_machine(
    repo: GitRepo, mirrors: BareMirrors, tmp_path: Path
):
    private = make_repo(tmp_path / "private", {"private.py": ""})
    repo.write({".gitmodules": f'[submodule "p"]\n\tpath = p\n\turl = {private.url}\n'})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{private.head},p")
    repo.git("add", ".gitmodules")
    repo.git("commit", "--quiet", "-m", "submodule")
    with pytest.raises(
        SourceRefusedError, match="submodule 'p' cannot be used: This server does not use local"
    ):
        await mirrors.archive(GitRepository(project="p", remote=f"git@h.example:{repo.url}"), repo.head)


@pytest.mark.parametrize(
    ("remote", "credential", "says"),
    [
        ("git@example.com:a/b", TOKEN, "private key"),
        ("https://example.com/a/b", KEY, "needs a token"),
    ],
)
async def test_a_credential_of_the_wrong_kind_is_refused(
    mirrors: BareMirrors, remote: str, credential: str, says: str
):
    with pytest.raises(SourceRefusedError, match=says) as caught:
        await mirrors.pin(GitRepository(project="p", remote=remote, credential=credential))
    assert credential not in told(caught.value)


async def test_what_a_killed_server_left_of_credentials_is_swept(
    repo: GitRepo, mirrors: BareMirrors, tmp_path: Path
):
    left = tmp_path / "data" / "credentials" / "left"
    left.mkdir(parents=True)
    (left / "token").write_text(TOKEN)
    await mirrors.pin(GitRepository(project="p", remote=repo.url))
    assert not left.exists()
