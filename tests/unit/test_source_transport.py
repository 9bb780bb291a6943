"""Which remotes and refs may be used, and which tricks are refused before any process sees them."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daftray.adapters.gitrepo import addresses, refnames
from daftray.adapters.gitrepo.mirrors import BareMirrors
from daftray.adapters.gitrepo.transport import parse
from daftray.domain.errors import SourceNotFoundError, SourceRefusedError, SourceUnavailableError
from daftray.domain.ports import GitRepository

PATIENT = settings(deadline=None)
"""No example fails for being slow: the machine may be busy."""

ALLOWED = [
    "https://github.com/org/repo",
    "https://github.com/org/repo.git",
    "HTTPS://GitHub.com/org/repo.git",
    "https://git.example.com:8443/a/b/c",
    "https://deploy@git.example.com/a",
    "https://10.1.2.3/a",
    "https://192.168.1.5/a",
    "https://[2001:db8::1]/a",
    "ssh://git@github.com/org/repo.git",
    "ssh://git@10.0.0.8:2222/srv/repo.git",
    "git@github.com:org/repo.git",
    "github.com:org/repo",
]
LOCAL = [
    "/srv/git/repo",
    "/srv/with space/repo.git",
    "file:///srv/git/repo",
    "file://localhost/srv/r",
    "http://example.com/a",
]
TRICKS = [
    "ext::sh -c 'touch /tmp/pwned'",
    "ext::sh",
    "fd::17",
    "testgit::/tmp/x",
    "https::https://example.com/x",
    "::https://example.com/x",
    "--upload-pack=touch /tmp/pwned",
    "-u",
    "-oProxyCommand=touch /tmp/pwned",
    "ssh://-oProxyCommand=touch/x",
    "ssh://git@-oProxyCommand=touch/x",
    "ssh://-oProxyCommand=touch@example.com/x",
    "-oProxyCommand=touch:x",
    "git@-oProxyCommand=touch:x",
    "git@example.com:-u",
    "https://example.com/-u",
    "",
    " ",
    "relative/path",
    "../up",
    "~/home",
    "git://example.com/a",
    "ftp://example.com/a",
    "gopher://example.com/a",
    "https://",
    "https://example.com",
    "https://example.com/",
    "https:///path",
    "https://exa mple.com/a",
    "https://example.com/a b",
    "https://example.com\\@127.0.0.1/a",
    "https://example.com#@127.0.0.1/a",
    "https://example.com?@127.0.0.1/a",
    "https://a@b@127.0.0.1/a",
    "https://example.com:notaport/a",
    "https://example.com:99999/a",
    "https://[::1/a",
    "https://[fe80::1%eth0]/a",
    "https://exämple.com/a",
    "https://example.com/a\n--upload-pack=x",
    "https://example.com/a\0",
    "\thttps://example.com/a",
    "https://example.com/\x1b[31m",
    "https://example.com/" + "a" * 5000,
    "file://elsewhere.example.com/srv",
]
OWN_ADDRESSES = [
    "https://localhost/a",
    "https://LOCALHOST./a",
    "https://x.localhost/a",
    "https://127.0.0.1/a",
    "https://127.1/a",
    "https://2130706433/a",
    "https://0x7f000001/a",
    "https://0177.0.0.1/a",
    "https://0.0.0.0/a",
    "https://0/a",
    "https://169.254.169.254/latest/meta-data",
    "https://100.100.100.200/a",
    "https://224.0.0.1/a",
    "https://[::1]/a",
    "https://[::]/a",
    "https://[::ffff:127.0.0.1]/a",
    "https://[::ffff:169.254.169.254]/a",
    "https://[64:ff9b::7f00:1]/a",
    "https://[2002:7f00:1::]/a",
    "https://[fe80::1]/a",
    "https://[fd00:ec2::254]/a",
    "ssh://git@127.0.0.1/a",
    "git@127.0.0.1:a",
    "git@localhost:a",
]
CREDENTIALS = [
    "https://user:canary@example.com/a",
    "https://:canary@example.com/a",
    "https://ghp_canary0123456789@example.com/a",
    "https://glpat-canary@example.com/a",
    "https://canary0123456789012345678901234567@example.com/a",
    "ssh://git:canary@example.com/a",
]


@pytest.mark.parametrize("remote", ALLOWED)
def test_https_and_ssh_are_allowed_everywhere(remote: str) -> None:
    for allow_local in (True, False):
        assert not parse(remote, allow_local=allow_local).local


@pytest.mark.parametrize("remote", LOCAL)
def test_local_remotes_and_plain_http_are_the_operators_choice(remote: str) -> None:
    assert parse(remote, allow_local=True).local
    with pytest.raises(SourceRefusedError, match="DAFTRAY_ALLOW_LOCAL_REMOTES=1"):
        parse(remote, allow_local=False)


@pytest.mark.parametrize("remote", TRICKS)
def test_tricks_are_refused_even_where_local_remotes_are_allowed(remote: str) -> None:
    with pytest.raises(SourceRefusedError) as caught:
        parse(remote, allow_local=True)
    assert caught.value.detail.isprintable()


@pytest.mark.parametrize("remote", OWN_ADDRESSES)
def test_the_servers_own_addresses_are_refused_by_the_text_alone(remote: str) -> None:
    with pytest.raises(SourceRefusedError, match="this server itself, a link-local"):
        parse(remote, allow_local=False)


@pytest.mark.parametrize("remote", CREDENTIALS)
def test_credentials_in_a_url_are_refused_and_not_repeated(remote: str) -> None:
    with pytest.raises(SourceRefusedError, match="project secret") as caught:
        parse(remote, allow_local=True)
    assert "canary" not in caught.value.detail


def test_the_port_refuses_the_same(tmp_path: Path) -> None:
    strict = BareMirrors(tmp_path, allow_local=False)
    strict.check("https://github.com/org/repo")
    for remote in [*TRICKS, *LOCAL, *OWN_ADDRESSES, *CREDENTIALS]:
        with pytest.raises(SourceRefusedError):
            strict.check(remote)
    assert list(tmp_path.iterdir()) == []


async def test_nothing_is_started_for_a_refused_remote(tmp_path: Path) -> None:
    mirrors = BareMirrors(tmp_path / "data", allow_local=True)
    marker = tmp_path / "pwned"
    for remote in (
        f"ext::touch {marker}",
        f"--upload-pack=touch {marker}",
        f"ssh://-oProxyCommand=touch {marker}/x",
    ):
        with pytest.raises(SourceRefusedError):
            await mirrors.pin(GitRepository(project="p", remote=remote))
    assert not marker.exists()


def answering(*found: str):
    return lambda *_args, **_options: [(0, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:7f00:1"])
def test_a_name_that_resolves_to_the_server_itself_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answering("93.184.216.34", address))
    with pytest.raises(SourceRefusedError, match=r"rebind\.example\.com is this server"):
        addresses.resolve("rebind.example.com", scheme="ssh")


async def test_such_a_name_is_refused_when_it_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answering("127.0.0.1"))
    mirrors = BareMirrors(tmp_path, allow_local=False)
    with pytest.raises(SourceRefusedError, match="this server itself"):
        await mirrors.pin(GitRepository(project="p", remote="git@rebind.example.com:a/b"))


def test_private_networks_are_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answering("10.0.0.4", "fd12::4"))
    assert addresses.resolve("git.lan", scheme="ssh") == ["10.0.0.4", "fd12::4"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [(socket.EAI_NONAME, SourceNotFoundError), (socket.EAI_AGAIN, SourceUnavailableError)],
)
def test_a_name_that_is_unknown_or_cannot_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise socket.gaierror(number, "failed")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(kind):
        addresses.resolve("git.example.com", scheme="ssh")


def test_a_proxy_resolves_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
    monkeypatch.setenv("no_proxy", "direct.example.com")
    monkeypatch.setattr(socket, "getaddrinfo", answering("10.0.0.4"))
    assert addresses.resolve("git.example.com", scheme="https") == ()
    assert addresses.resolve("direct.example.com", scheme="https") == ["10.0.0.4"]
    assert addresses.resolve("git.example.com", scheme="ssh") == ["10.0.0.4"]


@pytest.mark.parametrize(
    ("remote", "url", "found"),
    [
        ("https://h/org/top.git", "../lib.git", "https://h/org/lib.git"),
        ("https://h:1/org/top.git/", "../../other/lib", "https://h:1/other/lib"),
        ("git@h:org/top.git", "../lib.git", "git@h:org/lib.git"),
        ("ssh://git@h:2/org/top", "./sub", "ssh://git@h:2/org/top/sub"),
        ("/srv/top", "../lib", "/srv/lib"),
        ("https://h/org/top.git", "https://other/lib", "https://other/lib"),
        ("https://h/org/top.git", "git@other:lib", "git@other:lib"),
    ],
)
def test_a_submodules_url_is_relative_to_the_remote(remote: str, url: str, found: str) -> None:
    assert parse(remote, allow_local=True).beside(url) == found


@pytest.mark.parametrize("remote", ["https://h/a", "git@h:a", "/a"])
def test_a_submodules_url_cannot_climb_above_the_host(remote: str) -> None:
    with pytest.raises(SourceRefusedError, match="leads above"):
        parse(remote, allow_local=True).beside("../../x")


@PATIENT
@given(st.text(max_size=80))
def test_any_text_is_either_parsed_or_refused(text: str) -> None:
    try:
        remote = parse(text, allow_local=False)
    except SourceRefusedError:
        return
    assert remote.transport in {"https", "ssh"}
    assert not remote.url.startswith("-")


BAD_REFS = (
    *(
        "--upload-pack=touch /tmp/x",
        "-x",
        "a..b",
        "a b",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[",
        "a\\b",
        "a@{1}",
    ),
    *("@", "/a", "a/", "a//b", "a.", ".a", "a/.b", "a.lock", "a.lock/b", "", "a\nb", "a\x7f", "\u202ea"),
    "x" * 300,
)


@pytest.mark.parametrize("ref", BAD_REFS)
def test_what_is_no_name_of_a_ref_is_refused(ref: str) -> None:
    with pytest.raises(SourceRefusedError):
        refnames.candidates(ref)


REFS = st.text(st.sampled_from("ab/.-@{}~^:?*[\\ \x07é"), min_size=1, max_size=8)


@PATIENT
@given(REFS.filter(lambda ref: ref != "@"))  # Git's other word for HEAD: write HEAD
def test_names_of_refs_are_those_that_git_takes(ref: str) -> None:
    command = ["git", "check-ref-format", "--branch", ref]
    taken = subprocess.run(command, capture_output=True, check=False, cwd="/").returncode == 0
    try:
        refnames.candidates(ref)
        ours = True
    except SourceRefusedError:
        ours = False
    assert ours == taken


@pytest.mark.parametrize("text", ["", "abc", "xyz1", "abcd\n", "-abcd", "0" * 65, "HEAD", "abcd^"])
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(SourceRefusedError, match="no hash of a commit"):
        refnames.commit_hash(text)
