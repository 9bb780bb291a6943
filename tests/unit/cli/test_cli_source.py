from __future__ import annotations

import base64

import pytest
from factories import a_project
from shell import HEAD, Tree

from daftray.cli import screen
from daftray.cli.source import SourceChoice, choose_source
from daftray.domain.errors import InvalidInputError
from daftray.domain.project import GitRemote, ProjectSource
from daftray.domain.spec import GitSource, Source

PROJECT = a_project(source=ProjectSource(git=GitRemote(remote="git@git.example:acme/scoring")))


@pytest.fixture(autouse=True)
def nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "interactive", lambda: False)


def git_of(source: Source) -> GitSource:
    assert source.git
    return source.git


def test_a_clean_pushed_commit_is_named_and_nothing_else() -> None:
    assert choose_source(SourceChoice(), Tree(), PROJECT) == Source(git=GitSource(hash=HEAD))


def test_commits_that_the_remote_lacks_are_sent(capsys: pytest.CaptureFixture[str]) -> None:
    git = git_of(choose_source(SourceChoice(), Tree(pushed=False), PROJECT))

    assert base64.b64decode(git.bundle or "") == b"# v2 git bundle\n\x00"
    assert "not on the remote" in capsys.readouterr().err


def test_a_dirty_tree_asks_for_a_word() -> None:
    with pytest.raises(InvalidInputError, match=r"--patch .* --no-patch"):
        choose_source(SourceChoice(), Tree(changes=b"diff"), PROJECT)


def test_a_dirty_tree_is_sent_when_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    git = git_of(choose_source(SourceChoice(patch=True), Tree(changes="dïff\n".encode()), PROJECT))

    assert (git.hash, git.patch) == (HEAD, "dïff\n")
    assert "what is on disk" in capsys.readouterr().err


def test_a_dirty_tree_is_left_out_when_wanted() -> None:
    assert git_of(choose_source(SourceChoice(patch=False), Tree(changes=b"diff"), PROJECT)).patch is None


def test_wanting_a_patch_of_a_clean_tree_is_fine() -> None:
    assert git_of(choose_source(SourceChoice(patch=True), Tree(), PROJECT)).patch is None


@pytest.mark.parametrize(("answer", "sent"), [(True, "diff"), (False, None)])
def test_somebody_who_is_there_is_asked(
    monkeypatch: pytest.MonkeyPatch, answer: bool, sent: str | None
) -> None:
    asked: list[str] = []

    def ask(question: str) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr(screen, "interactive", lambda: True)
    monkeypatch.setattr(screen, "ask", ask)

    if sent:
        assert git_of(choose_source(SourceChoice(), Tree(changes=b"diff"), PROJECT)).patch == sent
    else:
        with pytest.raises(InvalidInputError, match="Nothing was sent"):
            choose_source(SourceChoice(), Tree(changes=b"diff"), PROJECT)
    assert "exactly what is on disk?" in asked[0]


def test_changes_that_are_no_utf8_cannot_be_sent() -> None:
    with pytest.raises(InvalidInputError, match="commit them"):
        choose_source(SourceChoice(patch=True), Tree(changes=b"\xff"), PROJECT)


@pytest.mark.parametrize("ref", ["main", "v1.2", "feature/x", "abc", "deadbeefg"])
def test_a_ref_is_what_the_remote_has(ref: str) -> None:
    tree = Tree(changes=b"diff", pushed=False)

    assert choose_source(SourceChoice(ref=ref), tree, PROJECT) == Source(git=GitSource(ref=ref))


@pytest.mark.parametrize("ref", [HEAD, HEAD[:7], HEAD[:12]])
def test_a_ref_that_is_a_commits_hash_is_sent_as_one(ref: str) -> None:
    assert choose_source(SourceChoice(ref=ref), Tree(), PROJECT) == Source(git=GitSource(hash=ref))


def test_a_patch_of_a_ref_is_refused() -> None:
    for tree in (Tree(), None):
        with pytest.raises(InvalidInputError, match="--patch"):
            choose_source(SourceChoice(ref="main", patch=True), tree, PROJECT)


def test_without_a_repository_the_projects_branch_runs() -> None:
    assert choose_source(SourceChoice(), None, PROJECT) == Source()
    assert choose_source(SourceChoice(ref="v2"), None, PROJECT) == Source(git=GitSource(ref="v2"))


def test_another_remote_is_named_without_its_password(capsys: pytest.CaptureFixture[str]) -> None:
    tree = Tree(remote="https://ada:hidden@git.example/fork/x.git")

    git = git_of(choose_source(SourceChoice(), tree, PROJECT))

    assert git.remote == "https://git.example/fork/x.git"
    told = capsys.readouterr().err
    assert "not the remote of project demo" in told
    assert "hidden" not in told


def test_a_remote_that_is_typed_goes_before_that_of_the_checkout() -> None:
    git = git_of(choose_source(SourceChoice(remote="/srv/x.git"), Tree(remote="/other"), PROJECT))

    assert git.remote == "/srv/x.git"


def test_a_repository_without_a_remote_sends_its_commits() -> None:
    git = git_of(choose_source(SourceChoice(), Tree(remote=None, pushed=False), PROJECT))

    assert (git.remote, git.hash) == ("", HEAD)
    assert git.bundle
