from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftray.cli.project_choice import name_for
from daftray.cli.remotes import repository_name, same_repository, without_credentials

SAME = [
    "https://github.com/acme/scoring.git",
    "https://github.com/acme/scoring",
    "https://GitHub.com/acme/scoring/",
    "https://ada:token@github.com/acme/scoring.git",
    "git@github.com:acme/scoring.git",
    "github.com:acme/scoring",
    "ssh://git@github.com/acme/scoring.git",
    "ssh://git@github.com:22/acme/scoring.git",
    "git@github.com:/acme/scoring.git",
]


@pytest.mark.parametrize("one", SAME)
@pytest.mark.parametrize("other", SAME)
def test_the_ways_to_write_a_remote_are_the_same(one: str, other: str) -> None:
    assert same_repository(one, other)


@pytest.mark.parametrize(
    "other",
    [
        "https://github.com/acme/other",
        "https://gitlab.com/acme/scoring",
        "/acme/scoring",
        "git@github.com:scoring",
        "https://[github.com/acme/scoring",
    ],
)
def test_other_repositories_are_not(other: str) -> None:
    assert not same_repository(SAME[0], other)


def test_paths_are_remotes_too() -> None:
    assert same_repository("/srv/git/scoring.git", "file:///srv/git/scoring")
    assert repository_name("/srv/git/scoring.git/") == "scoring"


@given(st.text())
def test_any_text_has_a_key_and_a_name_that_projects_may_have(text: str) -> None:
    assert same_repository(text, text)
    assert name_for(text)[0].isalnum()
    assert len(name_for(text)) <= 100


@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        ("https://ada:token@github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://token@github.com:8443/a/b", "https://github.com:8443/a/b"),
        ("ssh://git@github.com/a/b", "ssh://git@github.com/a/b"),
        ("git@github.com:a/b", "git@github.com:a/b"),
        ("/srv/a@b", "/srv/a@b"),
    ],
)
def test_passwords_are_left_out_of_remotes(remote: str, shown: str) -> None:
    assert without_credentials(remote) == shown
