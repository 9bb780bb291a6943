from __future__ import annotations

import pytest

from daftray.domain.remotes import repository_of


@pytest.mark.parametrize(
    "remote",
    [
        *(
            "https://github.com/Acme/scoring",
            "https://github.com/acme/scoring.git",
            "git@github.com:acme/scoring",
        ),
        *(
            "https://me@github.com/acme/scoring/",
            "ssh://git@github.com/acme/scoring.git",
            "GitHub.com:acme/scoring",
        ),
    ],
)
def test_spellings_of_one_repository_are_one(remote: str) -> None:
    assert repository_of(remote) == ("github.com", "acme/scoring")


@pytest.mark.parametrize(
    "remote", ["/a/b", "", "https://", "https://host", "https://host/", "x", "file:///a/b"]
)
def test_what_names_no_host_or_no_path_is_none(remote: str) -> None:
    assert repository_of(remote) is None


@pytest.mark.parametrize(
    ("remote", "host"),
    [
        ("https://github.com:8443/a/b", "github.com:8443"),
        ("https://github.com.evil.example/a/b", "github.com.evil.example"),
        ("https://github.com@evil.example/a/b", "evil.example"),
        ("https://[::1]:80/a/b", "[::1]:80"),
    ],
)
def test_hosts_stay_apart(remote: str, host: str) -> None:
    assert repository_of(remote) == (host, "a/b")
